use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::Block;

/// The `protocol` number that stands for "either"; the SDK's default (0 is TCP, 1 UDP).
pub const AXON_PROTOCOL_ANY: u8 = 4;

/// Where a neuron says it listens, as the chain stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxonInfo {
    /// Address; unspecified (`0.0.0.0`) means "not serving".
    pub ip: IpAddr,
    /// Port; 0 means "not serving".
    pub port: u16,
    /// Protocol number, see [`AXON_PROTOCOL_ANY`].
    pub protocol: u8,
    /// Version the neuron declares.
    pub version: u32,
    /// Block at which it was last announced.
    pub block: Block,
}

impl AxonInfo {
    /// Whether anything listens there, by the neuron's own word.
    pub fn is_serving(&self) -> bool {
        self.port != 0 && !self.ip.is_unspecified()
    }

    /// Address and port.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }

    /// The address as the chain's integer and its `ip_type` (4 or 6).
    ///
    /// ```
    /// # use adit_primitives::*;
    /// let axon = AxonInfo { ip: "192.168.1.10".parse().unwrap(), port: 1, protocol: 4, version: 0, block: Block(0) };
    /// assert_eq!(axon.chain_ip(), (3_232_235_786, 4));
    /// ```
    pub fn chain_ip(&self) -> (u128, u8) {
        match self.ip {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)), 4),
            IpAddr::V6(ip) => (u128::from(ip), 6),
        }
    }

    /// The address behind the chain's integer, or `None` when `ip_type` is neither 4 nor 6 or the
    /// integer does not fit.
    pub fn ip_from_chain(ip: u128, ip_type: u8) -> Option<IpAddr> {
        match ip_type {
            4 => u32::try_from(ip)
                .ok()
                .map(|ip| IpAddr::V4(Ipv4Addr::from(ip))),
            6 => Some(IpAddr::V6(Ipv6Addr::from(ip))),
            _ => None,
        }
    }
}

/// Where a neuron says its metrics are served, as the chain stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrometheusInfo {
    /// Address.
    pub ip: IpAddr,
    /// Port.
    pub port: u16,
    /// Version the neuron declares.
    pub version: u32,
    /// Block at which it was last announced.
    pub block: Block,
}
