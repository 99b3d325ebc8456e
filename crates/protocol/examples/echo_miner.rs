//! A miner that finds a clip of its own topic, for trying a client in any language.
//!
//! `cargo run -p adit-protocol --example echo_miner -- 127.0.0.1:9100 //Bob` serves `VideoMiner`
//! signed by the development key `//Bob` until Ctrl-C; everyone may call. `scripts/interop/run`
//! talks to it from Python.

use std::{env, error::Error, sync::Arc};

use adit_protocol::{
    server::{GrpcServer, caller},
    v1::{self, video_miner_server::VideoMiner},
};
use adit_wallet::Keypair;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

struct Echo;

#[tonic::async_trait]
impl VideoMiner for Echo {
    async fn scrape(
        &self,
        request: Request<v1::ScrapeRequest>,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let clip = v1::Clip {
            video_id: "echo".into(),
            end_ms: 5000,
            description: format!("{} for {}", request.topic, caller.hotkey),
            ..Default::default()
        };
        Ok(Response::new(v1::ScrapeResponse {
            task_id: request.task_id,
            clips: vec![clip],
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9100".into());
    let uri = arguments.next().unwrap_or_else(|| "//Bob".into());
    let keypair = Arc::new(Keypair::from_uri(&uri)?);
    let listener = TcpListener::bind(address).await?;
    GrpcServer::new(keypair, |_: &_| Ok(()))
        .video_miner(Echo)
        .serve(listener, async {
            // Without a way to hear Ctrl-C the process is stopped by its signal.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending().await
            }
        })
        .await?;
    Ok(())
}
