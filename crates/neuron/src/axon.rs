//! A neuron's server side: binding, admission of callers, announcing itself on chain.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use adit_chain::{Chain, Served};
use adit_primitives::{AXON_PROTOCOL_ANY, AxonInfo, Block, Clock, Hotkey, NetUid, Rao};
use adit_protocol::{auth::AuthRefusal, server::GrpcServer, v1};
use adit_wallet::Keypair;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{Error, MetagraphWatch, Result, config::AxonConfig};

/// Whom a neuron answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Only callers with a validator permit.
    pub validator_permit: bool,
    /// Least stake of a caller.
    pub min_stake: Rao,
}

/// Binds the listening socket; port 0 picks a free one.
///
/// # Errors
/// [`Error::Bind`].
pub async fn bind(config: &AxonConfig) -> Result<(TcpListener, SocketAddr)> {
    let listen = SocketAddr::new(config.ip, config.port);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|source| Error::Bind { listen, source })?;
    let bound = listener
        .local_addr()
        .map_err(|source| Error::Bind { listen, source })?;
    tracing::info!(event = "listening", address = %bound, "listening");
    Ok((listener, bound))
}

/// What to announce for a bound socket.
///
/// # Errors
/// [`Error::Config`] when it listens on every address and no external one is configured.
pub fn announcement(config: &AxonConfig, bound: SocketAddr) -> Result<AxonInfo> {
    let ip = config.external_ip.unwrap_or(bound.ip());
    if ip.is_unspecified() {
        return Err(Error::Config(
            "axon.ip listens on every address; set axon.external_ip to the one others can reach"
                .to_owned(),
        ));
    }
    Ok(AxonInfo {
        ip,
        port: config.external_port.unwrap_or(bound.port()),
        protocol: AXON_PROTOCOL_ANY,
        version: 1,
        block: Block(0),
    })
}

/// Announces an axon until the chain shows it or `shutdown` comes; refusals and lost connections
/// are logged and tried again.
pub async fn announce<C: Chain>(
    chain: &C,
    netuid: NetUid,
    axon: &AxonInfo,
    shutdown: &CancellationToken,
) {
    loop {
        match chain.serve_axon(netuid, axon).await {
            Ok(Served::AlreadySo) => {
                return tracing::info!(event = "served", address = %axon.socket(), "announced before");
            }
            Ok(Served::OnChain { block, .. }) => {
                return tracing::info!(event = "served", address = %axon.socket(), %block, "announced");
            }
            Err(error) => tracing::warn!(%error, "cannot announce the axon; trying again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
        }
    }
}

/// A server that answers as `keypair`, admits callers by the watched metagraph, and counts
/// refusals in `adit_requests_refused_total`.
pub fn guarded(
    keypair: Arc<Keypair>,
    watch: MetagraphWatch,
    admission: Admission,
    clock: Arc<dyn Clock>,
) -> GrpcServer {
    let authorise = move |caller: &Hotkey| {
        watch
            .check_caller(caller, admission.validator_permit, admission.min_stake)
            .map_err(AuthRefusal::not_authorised)
    };
    let observer = |refusal: &AuthRefusal, claimed: Option<&Hotkey>, path: &str| {
        let hotkey = claimed.map(Hotkey::to_string).unwrap_or_default();
        tracing::warn!(
            event = "refused",
            reason = refusal.reason(),
            hotkey,
            path,
            "request refused"
        );
        metrics::counter!("adit_requests_refused_total", "reason" => refusal.reason()).increment(1);
    };
    GrpcServer::new(keypair, authorise)
        .clock(clock)
        .observer(observer)
}

/// Answers `Neuron.Describe`.
#[derive(Debug, Clone)]
pub struct SelfDescription {
    /// The hotkey it signs with.
    pub hotkey: Hotkey,
    /// Its subnet.
    pub netuid: NetUid,
    /// `miner`, `validator` or `validator-api`.
    pub role: &'static str,
    /// Names of its mechanisms.
    pub mechanisms: Vec<&'static str>,
}

#[tonic::async_trait]
impl v1::neuron_server::Neuron for SelfDescription {
    async fn describe(
        &self,
        _request: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::DescribeResponse>, Status> {
        Ok(Response::new(v1::DescribeResponse {
            hotkey: self.hotkey.to_string(),
            netuid: u32::from(self.netuid.0),
            role: self.role.to_owned(),
            mechanisms: self
                .mechanisms
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announces_only_what_others_can_reach() {
        let bound = "127.0.0.1:9000".parse().unwrap();
        let everywhere = AxonConfig::default();
        assert_eq!(announcement(&everywhere, bound).unwrap().socket(), bound);
        assert!(announcement(&everywhere, "0.0.0.0:9000".parse().unwrap()).is_err());
        let forwarded = AxonConfig {
            external_ip: Some("203.0.113.7".parse().unwrap()),
            external_port: Some(80),
            ..AxonConfig::default()
        };
        let announced = announcement(&forwarded, "0.0.0.0:9000".parse().unwrap()).unwrap();
        assert_eq!(announced.socket().to_string(), "203.0.113.7:80");
    }
}
