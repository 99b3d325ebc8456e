use serde::{Deserialize, Serialize};

/// One field of what a hotkey commits to publicly on a subnet (pallet `Commitments`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CommitmentField {
    /// Nothing.
    None,
    /// Bytes, up to [`CommitmentField::RAW_BYTES`].
    Raw(Vec<u8>),
    /// A BLAKE2b-256 hash.
    BlakeTwo256([u8; 32]),
    /// A SHA-256 hash.
    Sha256([u8; 32]),
    /// A Keccak-256 hash.
    Keccak256([u8; 32]),
    /// A SHA3-256 hash.
    ShaThree256([u8; 32]),
    /// Bytes that the chain opens itself when a round of drand is out.
    TimelockEncrypted {
        /// The sealed bytes, up to [`CommitmentField::SEALED_BYTES`].
        encrypted: Vec<u8>,
        /// The round whose signature opens them.
        reveal_round: u64,
    },
    /// Asks that the bonds of others to this hotkey start anew.
    ResetBondsFlag,
    /// More bytes, up to [`CommitmentField::BIG_RAW_BYTES`]; newer runtimes only.
    BigRaw(Vec<u8>),
}

impl CommitmentField {
    /// Bytes in one [`CommitmentField::Raw`] at most.
    pub const RAW_BYTES: usize = 128;
    /// Bytes in one [`CommitmentField::BigRaw`] at most.
    pub const BIG_RAW_BYTES: usize = 512;
    /// Bytes in one [`CommitmentField::TimelockEncrypted`] at most.
    pub const SEALED_BYTES: usize = 1024;
    /// Fields in one commitment at most.
    pub const FIELDS: usize = 3;

    /// How many bytes it holds, and how many one of its kind may hold.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::None | Self::ResetBondsFlag => (0, 0),
            Self::Raw(bytes) => (bytes.len(), Self::RAW_BYTES),
            Self::BlakeTwo256(hash)
            | Self::Sha256(hash)
            | Self::Keccak256(hash)
            | Self::ShaThree256(hash) => (hash.len(), hash.len()),
            Self::TimelockEncrypted { encrypted, .. } => (encrypted.len(), Self::SEALED_BYTES),
            Self::BigRaw(bytes) => (bytes.len(), Self::BIG_RAW_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_know_how_much_they_hold() {
        assert_eq!(CommitmentField::Raw(vec![1; 129]).size(), (129, 128));
        assert_eq!(CommitmentField::BigRaw(vec![1; 3]).size(), (3, 512));
        assert_eq!(CommitmentField::ResetBondsFlag.size(), (0, 0));
        assert_eq!(CommitmentField::Sha256([0; 32]).size(), (32, 32));
    }
}
