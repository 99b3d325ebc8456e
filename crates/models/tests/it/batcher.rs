//! The batcher: every input answered once, in bounds, whatever the model does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use adit_embedding::{
    AudioEmbedder, AudioSamples, Embedding, Space, TextEmbedder, VideoEmbedder,
    perceptual::{PerceptualAudio, PerceptualVideo},
    testing::HashEmbedder,
};
use adit_models::{BatchedAudio, BatchedText, BatchedVideo, Batcher, BatcherConfig, Error, Result};
use proptest::prelude::*;
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

/// What a model was given, pass by pass.
type Passes = Arc<Mutex<Vec<Vec<Input>>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Input {
    number: usize,
    bucket: usize,
    cost: usize,
}

fn input(number: usize) -> Input {
    Input {
        number,
        bucket: 0,
        cost: 1,
    }
}

/// One thread, and time that runs on when nothing else happens.
fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn config() -> BatcherConfig {
    BatcherConfig {
        pass_items: 4,
        longest_wait: Duration::from_millis(5),
        ..BatcherConfig::named("test")
    }
}

/// A batcher over `answer`, and the passes it ran.
fn start(
    config: BatcherConfig,
    mut answer: impl FnMut(&[Input]) -> Result<Vec<usize>> + Send + 'static,
) -> (Batcher<Input, usize>, Passes) {
    let passes = Passes::default();
    let seen = Arc::clone(&passes);
    let run = move |pass: &[Input]| {
        seen.lock().unwrap().push(pass.to_vec());
        answer(pass)
    };
    let batcher = Batcher::start(config, |input| input.bucket, |input| input.cost, run);
    (batcher.unwrap(), passes)
}

fn doubled(pass: &[Input]) -> Result<Vec<usize>> {
    Ok(pass.iter().map(|input| input.number * 2).collect())
}

/// A model that says when it starts a pass, and waits for leave to end it.
struct Held {
    started: mpsc::Receiver<()>,
    leave: mpsc::Sender<()>,
}

impl Held {
    fn start(config: BatcherConfig) -> (Batcher<Input, usize>, Passes, Self) {
        let (starts, started) = mpsc::channel();
        let (leave, may_end) = mpsc::channel();
        let (batcher, passes) = start(config, move |pass| {
            starts.send(()).unwrap();
            may_end.recv().unwrap();
            doubled(pass)
        });
        (batcher, passes, Self { started, leave })
    }

    /// Lets the tasks run until a pass has started.
    async fn until_busy(&self) {
        while self.started.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn release(&self, passes: usize) {
        (0..passes).for_each(|_| self.leave.send(()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_input_is_answered_once_in_its_own_place_and_within_bounds(
        inputs in prop::collection::vec((0_usize..3, 1_usize..9, 0_u64..4), 0..60),
        (pass_items, pass_cost) in (1_usize..6, 1_usize..20),
        (queue_items, queue_cost) in (1_usize..12, 8_usize..40),
        longest_wait in 0_u64..4,
    ) {
        let config = BatcherConfig {
            pass_items,
            pass_cost,
            longest_wait: Duration::from_millis(longest_wait),
            queue_items,
            queue_cost,
            ..config()
        };
        let sent: Vec<Input> = inputs
            .iter()
            .enumerate()
            .map(|(number, (bucket, cost, _))| Input { number, bucket: *bucket, cost: *cost })
            .collect();
        let (answers, stats, passes) = runtime().block_on(async {
            let (batcher, passes) = start(config, doubled);
            let mut waiting = Vec::new();
            for (input, (_, _, pause)) in sent.iter().zip(&inputs) {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                waiting.push(tokio::spawn(batcher.enqueue(*input).await.unwrap()));
            }
            let mut answers = Vec::new();
            for answer in waiting {
                answers.push(answer.await.unwrap().unwrap());
            }
            batcher.shutdown().await;
            (answers, batcher.stats(), passes)
        });
        let expected: Vec<usize> = sent.iter().map(|input| input.number * 2).collect();
        prop_assert_eq!(answers, expected);
        prop_assert_eq!((stats.answered, stats.failed), (sent.len() as u64, 0));
        prop_assert_eq!((stats.queued, stats.queued_cost), (0, 0));
        prop_assert!(stats.most_queued <= queue_items && stats.most_queued_cost <= queue_cost);
        let passes = passes.lock().unwrap();
        prop_assert_eq!(stats.passes, passes.len() as u64);
        let mut by_bucket: BTreeMap<usize, Vec<Input>> = BTreeMap::new();
        for pass in passes.iter() {
            prop_assert!(pass.iter().all(|input| input.bucket == pass[0].bucket));
            prop_assert!(pass.len() <= pass_items);
            let cost: usize = pass.iter().map(|input| input.cost).sum();
            prop_assert!(pass.len() == 1 || cost <= pass_cost);
            by_bucket.entry(pass[0].bucket).or_default().extend(pass);
        }
        for (bucket, ran) in by_bucket {
            let sent: Vec<Input> =
                sent.iter().copied().filter(|input| input.bucket == bucket).collect();
            prop_assert_eq!(ran, sent);
        }
    }

    #[test]
    fn of_all_that_is_due_the_oldest_leads_the_next_pass(
        buckets in prop::collection::vec(0_usize..5, 1..40),
        pass_items in 1_usize..6,
    ) {
        let heads = runtime().block_on(async {
            let (batcher, passes, model) = Held::start(BatcherConfig { pass_items, ..config() });
            let first = batcher.enqueue(input(0)).await.unwrap();
            model.until_busy().await;
            let mut tickets = vec![first];
            for (number, bucket) in buckets.iter().enumerate() {
                let input = Input { bucket: *bucket, ..input(number + 1) };
                tickets.push(batcher.enqueue(input).await.unwrap());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            model.release(buckets.len() + 1);
            for ticket in tickets {
                ticket.await.unwrap();
            }
            let passes = passes.lock().unwrap();
            passes.iter().map(|pass| pass[0].number).collect::<Vec<_>>()
        });
        prop_assert!(heads.is_sorted(), "{:?}", heads);
    }

    #[test]
    fn what_fails_fails_alone(
        kinds in prop::collection::vec(0_u8..4, 1..30),
        pass_items in 1_usize..8,
    ) {
        let of = kinds.clone();
        let model = move |pass: &[Input]| {
            match pass.iter().map(|input| of[input.number]).max() {
                Some(3) => panic!("input of kind 3"),
                Some(2) => Err(Error::Input { reason: "kind 2".to_owned() }),
                _ => doubled(pass),
            }
        };
        let (outcomes, stats) = runtime().block_on(async {
            let (batcher, _) = start(BatcherConfig { pass_items, ..config() }, model);
            let mut tickets = Vec::new();
            for number in 0..kinds.len() {
                tickets.push(batcher.enqueue(input(number)).await.unwrap());
            }
            let mut outcomes = Vec::new();
            for ticket in tickets {
                outcomes.push(ticket.await);
            }
            (outcomes, batcher.stats())
        });
        for (number, (kind, outcome)) in kinds.iter().zip(outcomes).enumerate() {
            let as_due = match (kind, outcome) {
                (3, Err(Error::Panicked { message })) => message == "input of kind 3",
                (2, Err(Error::Input { reason })) => reason == "kind 2",
                (0 | 1, Ok(answer)) => answer == number * 2,
                _ => false,
            };
            prop_assert!(as_due, "input {} of kind {}", number, kind);
        }
        let failed = kinds.iter().filter(|kind| **kind > 1).count() as u64;
        prop_assert_eq!((stats.failed, stats.queued), (failed, 0));
    }

    #[test]
    fn a_pass_too_large_for_the_device_is_halved_once(
        count in 1_usize..12,
        holds in 0_usize..12,
        by_panic: bool,
    ) {
        let model = move |pass: &[Input]| {
            if pass.len() <= holds {
                return doubled(pass);
            }
            assert!(!by_panic, "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")");
            Err(Error::OutOfMemory { inputs: 0, reason: "full".to_owned() })
        };
        let (outcomes, passes, stats) = runtime().block_on(async {
            let (batcher, passes) = start(BatcherConfig { pass_items: 12, ..config() }, model);
            let mut tickets = Vec::new();
            for number in 0..count {
                tickets.push(batcher.enqueue(input(number)).await.unwrap());
            }
            let mut outcomes = Vec::new();
            for ticket in tickets {
                outcomes.push(ticket.await);
            }
            (outcomes, passes, batcher.stats())
        });
        let halves = [count.div_ceil(2), count / 2];
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let half = halves[usize::from(number >= halves[0])];
            let fits = count <= holds || (count > 1 && half <= holds);
            let as_due = match outcome {
                Ok(answer) => fits && answer == number * 2,
                Err(Error::OutOfMemory { inputs, .. }) => !fits && inputs == half,
                Err(_) => false,
            };
            prop_assert!(as_due, "input {}", number);
        }
        let split = count > holds && count > 1;
        prop_assert_eq!(stats.splits, u64::from(split));
        prop_assert_eq!(passes.lock().unwrap().len(), if split { 3 } else { 1 });
        prop_assert_eq!(stats.panics, 0);
    }
}

#[test]
fn a_lone_input_waits_its_patience_and_a_full_pass_not_at_all() {
    runtime().block_on(async {
        let (batcher, passes) = start(config(), doubled);
        let begun = Instant::now();
        assert_eq!(batcher.submit(input(1)).await.unwrap(), 2);
        assert!(begun.elapsed() >= Duration::from_millis(5));
        assert!(batcher.stats().longest_wait >= Duration::from_millis(5));
        let begun = Instant::now();
        let four = futures(&batcher, 0..4);
        for ticket in four.await {
            ticket.await.unwrap();
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(passes.lock().unwrap().len(), 2);
    });
}

async fn futures(
    batcher: &Batcher<Input, usize>,
    numbers: std::ops::Range<usize>,
) -> Vec<adit_models::Ticket<usize>> {
    let mut tickets = Vec::new();
    for number in numbers {
        tickets.push(batcher.enqueue(input(number)).await.unwrap());
    }
    tickets
}

#[test]
fn what_nobody_waits_for_is_not_run() {
    runtime().block_on(async {
        let (batcher, passes, model) = Held::start(config());
        let first = batcher.enqueue(input(0)).await.unwrap();
        model.until_busy().await;
        let mut tickets = futures(&batcher, 1..4).await;
        drop(tickets.remove(1));
        model.release(2);
        assert_eq!(first.await.unwrap(), 0);
        for (ticket, number) in tickets.into_iter().zip([1, 3]) {
            assert_eq!(ticket.await.unwrap(), number * 2);
        }
        let ran: Vec<usize> = passes
            .lock()
            .unwrap()
            .concat()
            .iter()
            .map(|input| input.number)
            .collect();
        assert_eq!(ran, [0, 1, 3]);
        let stats = batcher.stats();
        assert_eq!((stats.cancelled, stats.answered, stats.queued), (1, 3, 0));
        // Nor does a caller that gives up while it waits for room take any.
        let late = batcher.submit(input(9));
        drop(late);
        assert_eq!(batcher.stats().queued, 0);
    });
}

#[test]
fn a_full_bucket_starves_no_other() {
    runtime().block_on(async {
        let (batcher, passes, model) = Held::start(config());
        let mut tickets = vec![batcher.enqueue(input(0)).await.unwrap()];
        model.until_busy().await;
        tickets.extend(futures(&batcher, 1..9).await);
        let lone = Input {
            bucket: 1,
            ..input(9)
        };
        tickets.push(batcher.enqueue(lone).await.unwrap());
        tickets.extend(futures(&batcher, 10..40).await);
        // All of them are due.
        tokio::time::sleep(Duration::from_millis(10)).await;
        model.release(40);
        for (number, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(ticket.await.unwrap(), number * 2);
        }
        let passes = passes.lock().unwrap();
        let turn = passes.iter().position(|pass| pass[0] == lone).unwrap();
        // After the one that ran and the two that came before.
        assert_eq!(turn, 3);
    });
}

#[test]
fn without_room_one_waits_or_is_refused() {
    runtime().block_on(async {
        let bounds = BatcherConfig {
            queue_items: 3,
            queue_cost: 10,
            ..config()
        };
        let (batcher, _, model) = Held::start(bounds);
        let costing = |number, cost| Input {
            cost,
            ..input(number)
        };
        let first = batcher.try_submit(costing(1, 6)).unwrap();
        model.until_busy().await;
        let error = batcher.try_submit(costing(2, 5)).unwrap_err();
        assert!(
            matches!(error, Error::QueueFull { queued: 1, cost: 5 }),
            "{error}"
        );
        let error = batcher.submit(costing(2, 11)).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::QueueCost {
                    cost: 11,
                    limit: 10
                }
            ),
            "{error}"
        );
        let second = batcher.try_submit(costing(2, 1)).unwrap();
        let third = batcher.try_submit(costing(3, 1)).unwrap();
        let error = batcher.try_submit(costing(4, 1)).unwrap_err();
        assert!(matches!(error, Error::QueueFull { queued: 3, .. }));
        let batcher = Arc::new(batcher);
        let waiting = tokio::spawn({
            let batcher = Arc::clone(&batcher);
            async move { batcher.submit(costing(5, 9)).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        assert_eq!(batcher.stats().queued, 3);
        model.release(9);
        for (ticket, number) in [(first, 1), (second, 2), (third, 3)] {
            assert_eq!(ticket.await.unwrap(), number * 2);
        }
        assert_eq!(waiting.await.unwrap().unwrap(), 10);
        assert_eq!(batcher.stats().refused, 2);
    });
}

#[test]
fn shutting_down_answers_what_waits() {
    runtime().block_on(async {
        let (batcher, _, model) = Held::start(config());
        let tickets = futures(&batcher, 0..10).await;
        model.release(10);
        batcher.shutdown().await;
        let stats = batcher.stats();
        assert_eq!((stats.answered, stats.queued), (10, 0));
        for (number, ticket) in tickets.into_iter().enumerate() {
            assert_eq!(ticket.await.unwrap(), number * 2);
        }
        let refusals = [
            batcher.submit(input(0)).await.unwrap_err(),
            batcher.try_submit(input(0)).unwrap_err(),
        ];
        for error in refusals {
            assert!(matches!(error, Error::QueueClosed), "{error}");
        }
        batcher.shutdown().await;
    });
}

#[test]
fn a_ticket_outlives_its_batcher() {
    runtime().block_on(async {
        let (batcher, _) = start(config(), doubled);
        let ticket = batcher.enqueue(input(4)).await.unwrap();
        drop(batcher);
        assert_eq!(ticket.await.unwrap(), 8);
    });
}

#[test]
fn a_model_that_miscounts_is_named() {
    runtime().block_on(async {
        let (batcher, _) = start(config(), |_| Ok(vec![1, 2, 3]));
        let error = batcher.submit(input(0)).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::AnswerCount {
                    inputs: 1,
                    found: 3
                }
            ),
            "{error}"
        );
    });
}

#[test]
fn without_a_runtime_there_is_no_batcher() {
    let run = |pass: &[Input]| doubled(pass);
    let error = Batcher::start(config(), |_| 0, |_| 1, run).unwrap_err();
    assert!(matches!(error, Error::Batching { .. }), "{error}");
}

#[test]
fn with_its_runtime_ends_the_wait() {
    let gone = runtime();
    let (batcher, ticket) = gone.block_on(async {
        let (batcher, _) = start(config(), doubled);
        let ticket = batcher.enqueue(input(0)).await.unwrap();
        (batcher, ticket)
    });
    drop(gone);
    runtime().block_on(async {
        let error = ticket.await.unwrap_err();
        assert!(matches!(error, Error::QueueClosed), "{error}");
        let error = batcher.submit(input(1)).await.unwrap_err();
        assert!(matches!(error, Error::QueueClosed), "{error}");
        batcher.shutdown().await;
    });
}

#[test]
fn tasks_share_passes_over_texts() {
    let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
    let alone = HashEmbedder::new(32).unwrap();
    let batched = runtime.block_on(async {
        let model = Arc::new(HashEmbedder::new(32).unwrap());
        BatchedText::start(model, BatcherConfig::named("texts"))
    });
    let batched = Arc::new(batched.unwrap());
    assert_eq!(batched.space(), alone.space());
    let text = |number: usize| format!("text number {number}");
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let batched = Arc::clone(&batched);
            runtime.spawn(async move { batched.embed(vec![text(number), text(number + 1)]).await })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let found = runtime.block_on(task).unwrap().unwrap();
        let expected = alone.embed_texts(&[&text(number), &text(number + 1)]);
        assert_eq!(found, expected.unwrap());
    }
    let stats = batched.stats();
    assert_eq!(stats.answered, 128);
    assert!(stats.passes < 64, "{stats:?}");
    assert!(stats.mean_pass() > 2.0 && stats.throughput() > 0.0);
    // By the trait, from a thread of no runtime.
    let found = batched.embed_texts(&["a", "b"]).unwrap();
    assert_eq!(found, alone.embed_texts(&["a", "b"]).unwrap());
    assert!(batched.embed_texts(&[]).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_sound_costs_its_neighbours_nothing() {
    let model = Arc::new(PerceptualAudio::new().unwrap());
    let sample_rate = model.sample_rate();
    let batched = BatchedAudio::start(model, BatcherConfig::named("sounds")).unwrap();
    assert_eq!(batched.sample_rate(), sample_rate);
    let sound = AudioSamples {
        sample_rate,
        samples: (0..sample_rate).map(|n| (n as f32 * 0.3).sin()).collect(),
    };
    let empty = AudioSamples {
        sample_rate,
        samples: Vec::new(),
    };
    let (good, bad, other) = tokio::join!(
        batched.embed(vec![sound.clone()]),
        batched.embed(vec![empty]),
        batched.embed(vec![sound.clone()]),
    );
    assert_eq!(good.unwrap(), other.unwrap());
    assert!(bad.unwrap_err().is_input());
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_go_by_the_model_s_own_plan() {
    let model = Arc::new(PerceptualVideo::new().unwrap());
    let batched = BatchedVideo::start(
        Arc::clone(&model) as Arc<dyn VideoEmbedder>,
        BatcherConfig {
            // Less than one clip: it runs alone.
            queue_cost: 16,
            ..BatcherConfig::named("clips")
        },
    )
    .unwrap();
    assert_eq!(batched.frame_plan(3_000), model.frame_plan(3_000));
    let error = batched.embed(vec![adit_embedding::VideoFrames::default()]);
    assert!(error.await.unwrap_err().is_input());
    let plan = model.frame_plan(1_000);
    let adit_embedding::FrameScaling::Exact { width, height } = plan.scaling else {
        panic!("the perceptual model scales exactly");
    };
    let frame = adit_embedding::Frame {
        width,
        height,
        rgb: (0..width * height * 3).map(|byte| byte as u8).collect(),
    };
    let clip = adit_embedding::VideoFrames {
        frames: vec![frame; plan.times_ms.len()],
        times_ms: plan.times_ms,
    };
    let found = batched.embed(vec![clip.clone()]).await.unwrap();
    assert_eq!(found, model.embed_clips(&[clip]).unwrap());
}

/// A model of which every pass fails.
#[derive(Debug)]
struct Broken(Space);

impl TextEmbedder for Broken {
    fn space(&self) -> &Space {
        &self.0
    }

    fn embed_texts(&self, _: &[&str]) -> adit_embedding::Result<Vec<Embedding>> {
        panic!("broken")
    }
}

#[tokio::test]
async fn a_panic_of_the_model_is_the_machine_s_fault() {
    let model = Arc::new(Broken(Space::new("broken", 4).unwrap()));
    let batched = BatchedText::start(model, BatcherConfig::named("broken")).unwrap();
    let error = batched.embed(vec!["a".to_owned()]).await.unwrap_err();
    assert!(!error.is_input(), "{error}");
    assert!(error.to_string().contains("panicked: broken"), "{error}");
    assert_eq!(batched.stats().panics, 1);
}
