//! A process writes without end and is killed with SIGKILL; what it acknowledged must be there,
//! and everything must be whole.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use adit_storage::{Store, TaskState};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{
    sample::task,
    state::{answer, judged, new_task},
};

const CHILD: &str = "killed::child_writes_until_killed";
const WHERE: &str = "ADIT_TEST_KILLED_DB";
const SEED: u64 = 20_261_121;

/// Run only as a child of the test below.
#[test]
#[ignore = "the child half of a test"]
fn child_writes_until_killed() {
    let Some(path) = std::env::var_os(WHERE) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Store::open(Path::new(&path)).await.unwrap();
        let say = |line: String| {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
        };
        // What an earlier life left half done comes first, as in a real validator.
        for left in store.tasks_to_judge(u64::MAX).await.unwrap() {
            store.commit_judgement(&judged(left.id)).await.unwrap();
            say(format!("judged {}", left.id));
        }
        let mut number = store.counts().await.unwrap().tasks;
        loop {
            let id = task(number);
            assert!(store.begin_task(&new_task(id)).await.unwrap());
            for key in 1..=2 {
                store.record_answer(&answer(id, key)).await.unwrap();
                say(format!("answered {id} {key}"));
            }
            store.close_task(id).await.unwrap();
            store.commit_judgement(&judged(id)).await.unwrap();
            say(format!("judged {id}"));
            if number % 2 == 0 {
                store
                    .mark_delivered(&id.to_string(), &serde_json::json!(1), 1)
                    .await
                    .unwrap();
            }
            number += 1;
        }
    });
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            CHILD,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(WHERE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..10 {
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        // Killed between two acknowledgements: anywhere within the writes that follow.
        let wanted = rng.random_range(1..30);
        let spin = rng.random_range(0..400_000_u64);
        let seen = lines
            .by_ref()
            .filter(|line| line.starts_with("answered") || line.starts_with("judged"));
        acknowledged.extend(seen.take(wanted));
        (0..spin).for_each(|turn| {
            std::hint::black_box(turn);
        });
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died was acknowledged as well; a line cut short was not.
        let rest = lines.filter(|line| line.starts_with("answered") || line.starts_with("judged"));
        acknowledged.extend(rest.filter(|line| line.len() > "judged ".len() + 25));
        check(&path, &acknowledged).await;
    }
    assert!(acknowledged.len() >= 10);
}

async fn check(path: &Path, acknowledged: &BTreeSet<String>) {
    let store = Store::open(path).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (counts.scores, counts.items, counts.batches),
        (counts.judged * 2, counts.judged * 3, counts.judged)
    );
    let (mut answered, mut judged_tasks) = (BTreeSet::new(), BTreeSet::new());
    for row in store.tasks_page(None, 10_000).await.unwrap() {
        assert_eq!(row.asked.len(), 2, "a task without those asked");
        for answer in store.answers(row.id).await.unwrap() {
            assert!(
                answered.insert(format!("answered {} {}", row.id, answer.uid)),
                "stored twice"
            );
        }
        if row.state == TaskState::Judged {
            judged_tasks.insert(format!("judged {}", row.id));
        }
    }
    for line in acknowledged {
        assert!(
            answered.contains(line) || judged_tasks.contains(line),
            "{line:?} was acknowledged and is gone"
        );
    }
    store.close().await;
}
