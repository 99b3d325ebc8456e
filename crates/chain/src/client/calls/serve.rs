use std::net::SocketAddr;

use adit_primitives::{AxonInfo, Block, NetUid};

use super::{ChainCall, ChainValue, subtensor};

fn axon_arguments(netuid: NetUid, axon: &AxonInfo) -> Vec<(&'static str, ChainValue)> {
    let (ip, ip_type) = axon.chain_ip();
    vec![
        ("netuid", netuid.into()),
        ("version", axon.version.into()),
        ("ip", ip.into()),
        ("port", axon.port.into()),
        ("ip_type", ip_type.into()),
        ("protocol", axon.protocol.into()),
        ("placeholder1", 0_u8.into()),
        ("placeholder2", 0_u8.into()),
    ]
}

/// Announces where a neuron listens; signed by the hotkey, free.
pub fn serve_axon(netuid: NetUid, axon: &AxonInfo) -> ChainCall {
    ChainCall::new("SubtensorModule.serve_axon", axon_arguments(netuid, axon))
}

/// Announces where a neuron listens, and its certificate: one byte for the algorithm and up to 64
/// of a public key. Signed by the hotkey, free.
pub fn serve_axon_tls(netuid: NetUid, axon: &AxonInfo, certificate: &[u8]) -> ChainCall {
    let mut arguments = axon_arguments(netuid, axon);
    arguments.push(("certificate", certificate.to_vec().into()));
    ChainCall::new("SubtensorModule.serve_axon_tls", arguments)
}

/// Announces where a neuron's metrics can be read; signed by the hotkey, free.
pub fn serve_prometheus(netuid: NetUid, at: SocketAddr, version: u32) -> ChainCall {
    let address = AxonInfo {
        ip: at.ip(),
        port: at.port(),
        protocol: 0,
        version,
        block: Block(0),
    };
    let (ip, ip_type) = address.chain_ip();
    subtensor(
        "SubtensorModule.serve_prometheus",
        [
            ("netuid", netuid.into()),
            ("version", version.into()),
            ("ip", ip.into()),
            ("port", at.port().into()),
            ("ip_type", ip_type.into()),
        ],
    )
}
