//! A validator asks a miner over the wire, and names what goes wrong.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use adit_mechanism_video::miner::VideoMinerService;
use adit_neuron::{Call, Mechanism as _, QueryFailure};
use adit_primitives::{
    AxonInfo, Block, Clock as _, Coldkey, Hotkey, Neuron, Rao, SystemClock, TaskId, Uid,
};
use adit_protocol::{server::GrpcServer, v1};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

use crate::{
    miner_service::{Echo, echoed},
    origin::nobody,
    subnet::{Subnet, key, task},
};

/// Serves as `//Charlie`.
async fn serve(service: impl v1::video_miner_server::VideoMiner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = GrpcServer::new(key("//Charlie"), |_: &_| Ok(())).video_miner(service);
    tokio::spawn(server.serve(listener, std::future::pending()));
    address
}

fn miner(hotkey: Hotkey, address: Option<SocketAddr>) -> Neuron {
    Neuron {
        uid: Uid(4),
        hotkey,
        coldkey: Coldkey::new([1; 32]),
        axon: address.map(|address| AxonInfo {
            ip: address.ip(),
            port: address.port(),
            protocol: 4,
            version: 1,
            block: Block(1),
        }),
        stake: Rao(0),
        validator_permit: false,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        validator_trust: 0,
        emission: Rao(0),
        last_update: Block(1),
        registered_at: Block(1),
    }
}

async fn ask(
    subnet: &Subnet,
    topic: &str,
    miner: &Neuron,
) -> Result<adit_mechanism_video::VideoAnswer, QueryFailure> {
    let mut task = task();
    task.topic = topic.to_owned();
    let call = Call {
        id: TaskId::from_parts(1_800_000_000_000, 1),
        task: &task,
        miner,
        deadline_unix_ms: SystemClock.unix_millis() + 20_000,
        time_left: Duration::from_secs(20),
    };
    subnet.validator.query(call).await
}

/// Answers to another task than the one asked.
struct Confused;

#[tonic::async_trait]
impl v1::video_miner_server::VideoMiner for Confused {
    async fn scrape(
        &self,
        _request: Request<v1::ScrapeRequest>,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        Ok(Response::new(v1::ScrapeResponse {
            task_id: TaskId::from_parts(1, 1).to_string(),
            clips: Vec::new(),
        }))
    }
}

#[tokio::test]
async fn an_answer_comes_back_as_it_was_given() {
    let subnet = Subnet::start().await;
    let service = VideoMinerService::new(Arc::new(Echo::default()), Arc::new(SystemClock));
    let address = serve(service).await;
    let charlie = miner(key("//Charlie").hotkey(), Some(address));
    for topic in ["rivers", "bridges"] {
        let answer = ask(&subnet, topic, &charlie).await.unwrap();
        assert_eq!(answer.clips, [echoed(topic)]);
    }
    let failure = ask(&subnet, "fail", &charlie).await.unwrap_err();
    let is_known = matches!(
        failure,
        QueryFailure::Unreachable(_) | QueryFailure::Refused(_)
    );
    assert!(is_known, "{failure:?}");
    let failure = ask(&subnet, "  ", &charlie).await.unwrap_err();
    assert!(matches!(failure, QueryFailure::Refused(_)), "{failure:?}");
    // A failure closes nothing.
    assert!(ask(&subnet, "rivers", &charlie).await.is_ok());

    let dave = miner(key("//Dave").hotkey(), Some(address));
    let failure = ask(&subnet, "rivers", &dave).await.unwrap_err();
    let is_known = matches!(
        failure,
        QueryFailure::Unauthenticated(_) | QueryFailure::Unreachable(_)
    );
    assert!(is_known, "{failure:?}");
}

#[tokio::test]
async fn an_answer_to_another_task_is_malformed() {
    let subnet = Subnet::start().await;
    let address = serve(Confused).await;
    let charlie = miner(key("//Charlie").hotkey(), Some(address));
    let failure = ask(&subnet, "rivers", &charlie).await.unwrap_err();
    assert!(matches!(failure, QueryFailure::Malformed(_)), "{failure:?}");
}

#[tokio::test]
async fn who_is_not_there_is_unreachable() {
    let subnet = Subnet::start().await;
    let charlie = key("//Charlie").hotkey();
    let nowhere = nobody().await;
    let portless = SocketAddr::new(nowhere.ip(), 0);
    for address in [None, Some(portless), Some(nowhere)] {
        let failure = ask(&subnet, "rivers", &miner(charlie, address)).await;
        let failure = failure.unwrap_err();
        assert!(
            matches!(failure, QueryFailure::Unreachable(_)),
            "{failure:?}"
        );
    }
}
