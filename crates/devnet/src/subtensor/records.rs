//! What the chain keeps as records: the live chain's field names and order.

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{BoundedVec, traits::ConstU32};
use scale_info::TypeInfo;

/// Where a neuron offers its metrics.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct StoredPrometheus {
    /// Block of the announcement.
    pub block: u64,
    /// Version the neuron declares.
    pub version: u32,
    /// The address as an integer.
    pub ip: u128,
    /// Port.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
}

/// The key of a neuron's TLS certificate.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct NeuronCertificate {
    /// The key, at most 64 bytes.
    pub public_key: BoundedVec<u8, ConstU32<64>>,
    /// Its algorithm, as the neuron names it.
    pub algorithm: u8,
}

impl NeuronCertificate {
    /// Reads what `serve_axon_tls` carries: a byte for the algorithm, then the key.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&algorithm, key) = bytes.split_first()?;
        Some(Self {
            public_key: key.to_vec().try_into().ok()?,
            algorithm,
        })
    }
}

/// Who a coldkey says it is.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct ChainIdentityV2 {
    /// Name.
    pub name: Vec<u8>,
    /// Web page.
    pub url: Vec<u8>,
    /// Repository.
    pub github_repo: Vec<u8>,
    /// Picture.
    pub image: Vec<u8>,
    /// Discord name.
    pub discord: Vec<u8>,
    /// Description.
    pub description: Vec<u8>,
    /// Anything else.
    pub additional: Vec<u8>,
}

/// What a subnet says it is.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct SubnetIdentityV3 {
    /// Name.
    pub subnet_name: Vec<u8>,
    /// Repository.
    pub github_repo: Vec<u8>,
    /// Mail address or the like.
    pub subnet_contact: Vec<u8>,
    /// Web page.
    pub subnet_url: Vec<u8>,
    /// Discord name.
    pub discord: Vec<u8>,
    /// Description.
    pub description: Vec<u8>,
    /// Picture.
    pub logo_url: Vec<u8>,
    /// Anything else.
    pub additional: Vec<u8>,
}

/// How a subnet's epoch reckons.
#[derive(
    Clone, Copy, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo,
)]
pub enum EpochConsensus {
    /// Yuma consensus.
    #[default]
    Yuma,
    /// Rows averaged, no bonds.
    Null,
}

/// A fixed-point number of 96 integer and 32 fraction bits.
#[derive(
    Clone, Copy, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo,
)]
pub struct I96F32 {
    /// The number times 2³².
    pub bits: i128,
}
