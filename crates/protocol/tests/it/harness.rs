//! A real server on a loopback socket, and callers that may misbehave.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_primitives::{Hotkey, ManualClock};
use adit_protocol::{
    auth::AuthRefusal,
    client::{self, ConnectOptions, SignLayer, SignedChannel},
    server::{GrpcServer, GrpcServerLimits, caller},
    v1::{self, video_miner_client::VideoMinerClient},
};
use adit_wallet::Keypair;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tonic::{
    Request, Response, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::{ServiceBuilder, util::MapRequest};

/// When all clocks start, in nanoseconds since the Unix epoch.
pub(crate) const START: u64 = 1_800_000_000_000_000_000;

pub(crate) fn key(uri: &str) -> Arc<Keypair> {
    Arc::new(Keypair::from_uri(uri).unwrap())
}

/// A miner that answers with the topic and the caller's address; some topics make it misbehave.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    /// Told when a request begins to hang.
    pub(crate) hanging: Arc<Notify>,
}

#[tonic::async_trait]
impl v1::video_miner_server::VideoMiner for Echo {
    async fn scrape(
        &self,
        request: Request<v1::ScrapeRequest>,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        let caller = caller(&request).map(|caller| caller.hotkey.to_string());
        let topic = request.into_inner().topic;
        match topic.as_str() {
            "hang" => {
                self.hanging.notify_one();
                std::future::pending().await
            }
            "fail" => Err(Status::failed_precondition("no such topic")),
            _ => Ok(Response::new(v1::ScrapeResponse {
                task_id: caller.unwrap_or_default(),
                clips: vec![v1::Clip {
                    description: topic,
                    ..Default::default()
                }],
            })),
        }
    }
}

pub(crate) fn asking(topic: impl Into<String>) -> v1::ScrapeRequest {
    v1::ScrapeRequest {
        topic: topic.into(),
        ..Default::default()
    }
}

/// `//Bob` serving [`Echo`] to everyone but `//Eve`.
pub(crate) struct Bob {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) refusals: Arc<Mutex<Vec<&'static str>>>,
    pub(crate) hanging: Arc<Notify>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) task: JoinHandle<adit_protocol::Result<()>>,
}

impl Bob {
    pub(crate) async fn serve(limits: GrpcServerLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock = ManualClock::at_nanos(START);
        let refusals: Arc<Mutex<Vec<_>>> = Arc::default();
        let seen = refusals.clone();
        let echo = Echo::default();
        let eve = key("//Eve").hotkey();
        let authorise = move |caller: &Hotkey| {
            if *caller == eve {
                return Err(AuthRefusal::not_authorised("not a registered validator"));
            }
            Ok(())
        };
        let server = GrpcServer::new(key("//Bob"), authorise)
            .limits(limits)
            .clock(Arc::new(clock.clone()))
            .observer(move |refusal: &AuthRefusal, _: Option<&Hotkey>, _: &str| {
                seen.lock().unwrap().push(refusal.reason());
            })
            .video_miner(echo.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(listener, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            clock,
            refusals,
            hanging: echo.hanging,
            stop: Some(stop),
            task,
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// A sound caller with its own clock.
    pub(crate) async fn connect(&self, own: &str, clock: &ManualClock) -> SignedChannel {
        let options = ConnectOptions {
            clock: Arc::new(clock.clone()),
            request_timeout: Duration::from_secs(30),
            ..Default::default()
        };
        let receiver = key("//Bob").hotkey();
        client::connect(self.address, key(own), receiver, options)
            .await
            .unwrap()
    }

    /// A caller whose signed requests are changed on their way.
    pub(crate) async fn through<F>(
        &self,
        change: F,
    ) -> VideoMinerClient<client::Signed<MapRequest<Channel, F>>>
    where
        F: FnMut(http::Request<Body>) -> http::Request<Body> + Clone + Send + 'static,
    {
        VideoMinerClient::new(
            ServiceBuilder::new()
                .layer(self.sign_layer())
                .map_request(change)
                .service(self.channel().await),
        )
    }

    pub(crate) fn sign_layer(&self) -> SignLayer {
        SignLayer::new(key("//Alice"), key("//Bob").hotkey()).clock(Arc::new(self.clock.clone()))
    }

    pub(crate) fn refusals(&self) -> Vec<&'static str> {
        self.refusals.lock().unwrap().clone()
    }
}
