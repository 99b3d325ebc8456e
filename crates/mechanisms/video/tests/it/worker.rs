//! What a miner offers from its library, and what it makes of a library that is broken.

use std::{collections::HashSet, path::Path, time::Duration};

use adit_mechanism_video::{
    ClaimedClip, ClipConstraints, Embedders, Error, VideoTask,
    miner::{Library, VideoWorker},
};
use adit_media::Fetcher;
use adit_neuron::Worker as _;
use tempfile::TempDir;
use url::Url;

use crate::{
    origin::{Origin, Reply},
    subnet::{constraints, embedders, fetcher, task},
};

const MINUTE: Duration = Duration::from_secs(60);

struct Mine {
    origin: Origin,
    fetcher: Fetcher,
    embedders: Embedders,
    _folder: TempDir,
}

impl Mine {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start().await;
        Self {
            fetcher: fetcher(&folder.path().join("cache"), &origin),
            origin,
            embedders: embedders(),
            _folder: folder,
        }
    }

    /// The library that a catalogue lists; one for each `Mine`, because the fetcher keeps files.
    async fn library(&self, catalogue: impl Into<Vec<u8>>) -> Result<Library, Error> {
        let reply = Reply::Bytes(catalogue.into());
        let catalogue = self.origin.serve("/library/catalogue.toml", reply);
        Library::load(&catalogue, &self.fetcher, &self.embedders).await
    }

    async fn worker(&self, catalogue: &str) -> VideoWorker {
        let library = self.library(catalogue).await.unwrap();
        VideoWorker::new(library, self.fetcher.clone(), self.embedders.clone(), 7)
    }
}

fn entry(file: &str, description: &str) -> String {
    format!("[[video]]\nfile = \"{file}\"\ndescription = \"{description}\"\n")
}

fn both() -> String {
    let bikes = entry("../bikes.mp4", "bicycles and cars in a city");
    bikes + &entry("/bigbuckbunny.mp4", "a rabbit in a meadow, no cars")
}

fn accepts(constraints: &ClipConstraints, clip: &ClaimedClip) -> bool {
    let length = clip.end_ms - clip.start_ms;
    (constraints.min_duration_ms..=constraints.max_duration_ms).contains(&length)
        && clip.description.len() <= constraints.max_description_bytes as usize
}

#[tokio::test]
async fn no_window_is_offered_twice() {
    let mine = Mine::new().await;
    let worker = mine.worker(&both()).await;
    let mut offered: HashSet<(String, u64, u64)> = HashSet::new();
    let mut answers = Vec::new();
    // Two tasks at once, as from two validators, and then until there is nothing left.
    let (one, two) = tokio::join!(worker.work(task(), MINUTE), worker.work(task(), MINUTE));
    answers.extend([one.unwrap(), two.unwrap()]);
    loop {
        let answer = worker.work(task(), MINUTE).await.unwrap();
        if answer.clips.is_empty() {
            break;
        }
        answers.push(answer);
        assert!(answers.len() < 20, "the library has no end");
    }
    for clip in answers.iter().flat_map(|answer| &answer.clips) {
        let window = (clip.source_url.clone(), clip.start_ms, clip.end_ms);
        assert!(offered.insert(window), "{clip:?}");
    }
    assert!(offered.len() >= 4, "{offered:?}");
    for (source, start, end) in &offered {
        let overlaps =
            |other: &&(String, u64, u64)| other.0 == *source && other.1 < *end && *start < other.2;
        assert_eq!(offered.iter().filter(overlaps).count(), 1);
    }
}

#[tokio::test]
async fn constraints_are_kept() {
    let mine = Mine::new().await;
    let worker = mine.worker(&both()).await;
    let tight = VideoTask {
        clips_wanted: 3,
        constraints: ClipConstraints {
            min_duration_ms: 1_500,
            max_duration_ms: 2_100,
            max_description_bytes: 9,
        },
        ..task()
    };
    let answer = worker.work(tight.clone(), MINUTE).await.unwrap();
    assert!((1..=3).contains(&answer.clips.len()));
    for clip in &answer.clips {
        assert!(accepts(&tight.constraints, clip), "{clip:?}");
        let text = mine.embedders.texts(vec![clip.description.clone()]).await;
        let packed = clip.text.as_ref().unwrap();
        let text = text.unwrap().remove(0);
        assert_eq!(packed.unpack(text.space()).unwrap(), text);
    }
    let impossible = [(3_000, 1_000), (60_000, 120_000)];
    for (min_duration_ms, max_duration_ms) in impossible {
        let mut asked = task();
        asked.constraints.min_duration_ms = min_duration_ms;
        asked.constraints.max_duration_ms = max_duration_ms;
        let answer = worker.work(asked, MINUTE).await.unwrap();
        assert!(answer.clips.is_empty());
    }
}

#[tokio::test]
async fn what_was_found_in_time_is_returned() {
    let mine = Mine::new().await;
    mine.origin.serve("/stalled.mp4", Reply::Stall);
    let near = entry("/bikes.mp4", "bicycles and cars in a city");
    let far = entry("/stalled.mp4", "penguins");
    let worker = mine.worker(&(near + &far)).await;
    let left = Duration::from_secs(8);
    let answer = worker.work(task(), left).await.unwrap();
    assert_eq!(mine.origin.requests("/stalled.mp4"), 1);
    assert!(!answer.clips.is_empty());

    let answer = worker.work(task(), Duration::ZERO).await.unwrap();
    assert!(answer.clips.is_empty());
}

#[tokio::test]
async fn file_names_stand_in_for_descriptions() {
    let mine = Mine::new().await;
    let footage = Reply::File(crate::origin::recording("bikes.mp4"));
    mine.origin.serve("/library/cars_in-a.city.mp4", footage);
    let worker = mine
        .worker("[[video]]\nfile = \"cars_in-a.city.mp4\"\n")
        .await;
    let answer = worker.work(task(), MINUTE).await.unwrap();
    let clip = &answer.clips[0];
    assert_eq!(clip.description, "cars in a city");
    assert_eq!(clip.video_id, "cars_in-a.city");
    assert!(accepts(&constraints(), clip));
    assert!(clip.audio.is_none(), "the recording has no sound");
}

#[tokio::test]
async fn videos_that_cannot_be_read_are_left_out() {
    let mine = Mine::new().await;
    let text = Reply::Bytes(b"no video".to_vec());
    mine.origin.serve("/text.mp4", text);
    mine.origin.serve("/gone.mp4", Reply::HangUp);
    let mut catalogue = both();
    for file in [
        "/text.mp4",
        "/gone.mp4",
        "/missing.mp4",
        "",
        "file:///etc/passwd",
        "http://10.0.0.1/a.mp4",
    ] {
        catalogue += &entry(file, "bicycles and cars in a city");
    }
    let worker = mine.worker(&catalogue).await;
    let answer = worker.work(task(), MINUTE).await.unwrap();
    assert!(!answer.clips.is_empty());
    let readable =
        ["/bikes.mp4", "/bigbuckbunny.mp4"].map(|path| mine.origin.url(path).to_string());
    for clip in &answer.clips {
        assert!(readable.contains(&clip.source_url), "{}", clip.source_url);
    }
}

#[tokio::test]
async fn a_broken_catalogue_is_a_typed_error() {
    let mine = Mine::new().await;
    let catalogues: [(&str, Vec<u8>); 8] = [
        ("nothing", Vec::new()),
        ("no entries", b"video = []".to_vec()),
        ("no TOML", b"[[video".to_vec()),
        ("no file", b"[[video]]\ntitle = \"a\"".to_vec()),
        ("file is a number", b"[[video]]\nfile = 7".to_vec()),
        ("no UTF-8", vec![0xff; 64]),
        ("unknown table", b"[[videos]]\nfile = \"a.mp4\"".to_vec()),
        ("no address", entry("http://[", "").into_bytes()),
    ];
    for (what, catalogue) in catalogues {
        let path = format!("/{}.toml", what.replace(' ', "-"));
        let url = mine.origin.serve(&path, Reply::Bytes(catalogue));
        let loaded = Library::load(&url, &mine.fetcher, &mine.embedders).await;
        let error = loaded.unwrap_err();
        assert!(matches!(error, Error::Catalogue { .. }), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_huge_catalogue_is_not_read() {
    let mine = Mine::new().await;
    let huge = b"# nothing but comments\n".repeat((17 << 20) / 23 + 1);
    let error = mine.library(huge).await.unwrap_err();
    let Error::Catalogue { reason, .. } = &error else {
        panic!("{error}");
    };
    assert!(reason.contains("16 MiB"), "{reason}");
}

#[tokio::test]
async fn a_catalogue_out_of_reach_is_a_fault_of_its_origin() {
    let mine = Mine::new().await;
    let missing = mine.origin.url("/nowhere.toml");
    let gone = mine.origin.serve("/gone.toml", Reply::HangUp);
    let file = Url::from_file_path(Path::new("/etc/hostname")).unwrap();
    for url in [missing, gone, file] {
        let loaded = Library::load(&url, &mine.fetcher, &mine.embedders).await;
        let error = loaded.unwrap_err();
        assert!(matches!(error, Error::Media(_)), "{error}");
        assert_ne!(error.fault(), adit_media::Fault::Local);
    }
}
