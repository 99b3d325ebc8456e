//! What the miner's service takes, and what it makes of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_embedding::Space;
use adit_mechanism_video::{
    ClaimedClip, ClipConstraints, PackedVector, VideoAnswer, VideoTask, miner::VideoMinerService,
};
use adit_neuron::{Unavailable, Worker};
use adit_primitives::{Clock as _, ManualClock, TaskId};
use adit_protocol::v1::{self, video_miner_server::VideoMiner as _};
use adit_storage::DatasetSpaces;
use tonic::{Code, Request};

const NOW_MS: u64 = 1_800_000_000_000;

/// Answers with one clip that repeats the topic; some topics make it misbehave.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    pub(crate) asked: Mutex<Vec<(VideoTask, Duration)>>,
}

impl Worker for Echo {
    type Task = VideoTask;
    type Answer = VideoAnswer;

    async fn work(&self, task: VideoTask, time_left: Duration) -> Result<VideoAnswer, Unavailable> {
        self.asked.lock().unwrap().push((task.clone(), time_left));
        match task.topic.as_str() {
            "fail" => Err(Unavailable::new("search", "the disk /secret is full")),
            "hang" => std::future::pending().await,
            topic => Ok(VideoAnswer {
                clips: vec![echoed(topic)],
            }),
        }
    }
}

pub(crate) fn echoed(topic: &str) -> ClaimedClip {
    ClaimedClip {
        video_id: "echo".to_owned(),
        source_url: "http://media.example/echo.mp4".to_owned(),
        start_ms: 1,
        end_ms: 2,
        description: topic.to_owned(),
        video: Some(PackedVector::raw("any/1".to_owned(), 1, vec![0; 4])),
        audio: None,
        text: None,
    }
}

/// A way to change a request.
type Spoil = fn(&mut v1::ScrapeRequest);

fn asking() -> v1::ScrapeRequest {
    v1::ScrapeRequest {
        task_id: TaskId::from_parts(NOW_MS, 1).to_string(),
        topic: "rivers".to_owned(),
        clips_wanted: 2,
        constraints: Some(v1::ClipConstraints {
            min_duration_ms: 1,
            max_duration_ms: 2,
            max_description_bytes: 3,
            ..Default::default()
        }),
        deadline_unix_ms: NOW_MS + 5_000,
    }
}

struct Served {
    service: VideoMinerService<Echo>,
    worker: Arc<Echo>,
}

fn served() -> Served {
    let clock = ManualClock::at_nanos(NOW_MS * 1_000_000);
    assert_eq!(clock.unix_millis(), NOW_MS);
    let worker = Arc::new(Echo::default());
    Served {
        service: VideoMinerService::new(worker.clone(), Arc::new(clock)),
        worker,
    }
}

impl Served {
    async fn scrape(
        &self,
        request: v1::ScrapeRequest,
    ) -> Result<v1::ScrapeResponse, tonic::Status> {
        let answer = self.service.scrape(Request::new(request)).await?;
        Ok(answer.into_inner())
    }
}

#[tokio::test]
async fn a_sound_request_reaches_the_worker() {
    let served = served();
    let answer = served.scrape(asking()).await.unwrap();
    assert_eq!(answer.task_id, asking().task_id);
    assert_eq!(answer.clips, [v1::Clip::from(echoed("rivers"))]);
    let asked = served.worker.asked.lock().unwrap().clone();
    let expected = VideoTask {
        topic: "rivers".to_owned(),
        clips_wanted: 2,
        constraints: ClipConstraints {
            min_duration_ms: 1,
            max_duration_ms: 2,
            max_description_bytes: 3,
        },
    };
    assert_eq!(asked, [(expected, Duration::from_secs(5))]);
}

#[tokio::test]
async fn a_question_for_vectors_of_another_space_is_refused_by_name() {
    let mut served = served();
    let space = |name: &str| Space::new(name, 4).unwrap();
    let ours = DatasetSpaces {
        video: space("ours-video"),
        audio: space("ours-audio"),
        text: space("ours-text"),
    };
    served.service = served.service.in_spaces(ours);
    let asking_in = |video: &str, text: &str| {
        let mut request = asking();
        let constraints = request.constraints.as_mut().unwrap();
        constraints.video_space = video.to_owned();
        constraints.text_space = text.to_owned();
        request
    };
    for (video, text) in [
        ("", ""),
        ("ours-video/4", ""),
        ("ours-video/4", "ours-text/4"),
    ] {
        served.scrape(asking_in(video, text)).await.unwrap();
    }
    let long = "x".repeat(100_000);
    for (video, text, reason) in [
        (
            "theirs/4",
            "",
            "this miner embeds video in the space ours-video/4, not in theirs/4",
        ),
        ("ours-video/5", "", "not in ours-video/5"),
        ("ours-video/4", "theirs/8", "text in the space ours-text/4"),
        (&long, "", "not in xxx"),
    ] {
        let status = served.scrape(asking_in(video, text)).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains(reason), "{}", status.message());
        assert!(status.message().len() < 200);
    }
    assert_eq!(served.worker.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn bounds_are_inclusive() {
    let served = served();
    let edges: [Spoil; 4] = [
        |request| request.clips_wanted = 1,
        |request| request.clips_wanted = 64,
        |request| request.topic = "t".repeat(4_096),
        |request| request.deadline_unix_ms = u64::MAX,
    ];
    for edge in edges {
        let mut request = asking();
        edge(&mut request);
        served.scrape(request).await.unwrap();
    }
    // No deadline is so far that a request may hold the miner for ever.
    let asked = served.worker.asked.lock().unwrap();
    assert_eq!(asked[3].1, Duration::from_secs(600));
}

#[tokio::test]
async fn without_constraints_the_usual_ones_hold() {
    let served = served();
    let request = v1::ScrapeRequest {
        constraints: None,
        ..asking()
    };
    served.scrape(request).await.unwrap();
    let asked = served.worker.asked.lock().unwrap();
    assert_eq!(asked[0].0.constraints, ClipConstraints::default());
}

#[tokio::test]
async fn unsound_requests_never_reach_the_worker() {
    let served = served();
    let unsound: [(Code, Spoil); 11] = [
        (Code::InvalidArgument, |request| request.task_id.clear()),
        (Code::InvalidArgument, |request| {
            request.task_id = "01ARZ3NDEKTSV4RRFFQ69G5FA".to_owned();
        }),
        (Code::InvalidArgument, |request| {
            request.task_id = "x".repeat(1_000_000);
        }),
        (Code::InvalidArgument, |request| request.clips_wanted = 0),
        (Code::InvalidArgument, |request| request.clips_wanted = 65),
        (Code::InvalidArgument, |request| request.topic.clear()),
        (Code::InvalidArgument, |request| {
            request.topic = " \n\t".to_owned();
        }),
        (Code::InvalidArgument, |request| {
            request.topic = "t".repeat(4_097);
        }),
        (Code::DeadlineExceeded, |request| {
            request.deadline_unix_ms = 0;
        }),
        (Code::DeadlineExceeded, |request| {
            request.deadline_unix_ms = NOW_MS - 1;
        }),
        (Code::DeadlineExceeded, |request| {
            request.deadline_unix_ms = NOW_MS;
        }),
    ];
    for (place, (code, spoil)) in unsound.into_iter().enumerate() {
        let mut request = asking();
        spoil(&mut request);
        let status = served.scrape(request).await.unwrap_err();
        assert_eq!(status.code(), code, "case {place}");
    }
    assert!(served.worker.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_fails_or_hangs_is_no_ones_business() {
    let served = served();
    let request = v1::ScrapeRequest {
        topic: "fail".to_owned(),
        ..asking()
    };
    let status = served.scrape(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.message().contains("secret"));
    let request = v1::ScrapeRequest {
        topic: "hang".to_owned(),
        deadline_unix_ms: NOW_MS + 5,
        ..asking()
    };
    let status = served.scrape(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
