use adit_primitives::{Hotkey, Uid};
use blake2::{Blake2b, Digest as _, digest::consts::U32};
use codec::Encode as _;
use rand::{CryptoRng, Rng as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// What hides committed weights until they are revealed: without it, everybody could try the few
/// likely vectors.
///
/// Wiped from memory when dropped, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitSalt(Vec<u16>);

impl CommitSalt {
    /// As many numbers as the Python SDK takes.
    const LENGTH: usize = 8;

    /// 128 random bits.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self((0..Self::LENGTH).map(|_| rng.random()).collect())
    }

    /// A salt chosen elsewhere. The chain takes any length.
    pub const fn new(numbers: Vec<u16>) -> Self {
        Self(numbers)
    }

    /// The numbers, to be revealed.
    pub fn numbers(&self) -> &[u16] {
        &self.0
    }
}

impl Drop for CommitSalt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for CommitSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommitSalt(hidden)")
    }
}

/// What a hash commit-reveal commits: blake2-256 of the SCALE encoding of
/// `(AccountId, u16 storage index, Vec<u16> uids, Vec<u16> values, Vec<u16> salt, u64 version key)`,
/// as the runtime's `get_commit_hash` makes it.
///
/// The storage index of a mechanism is `mecid · 4096 + netuid`
/// ([`MechId::storage_index`](adit_primitives::MechId::storage_index)). The order of the weights
/// counts: they must be revealed in the same one.
///
/// ```
/// use adit_chain::commit_reveal::{CommitSalt, commit_hash};
/// use adit_primitives::{Hotkey, MechId, NetUid, Uid};
///
/// let hotkey = Hotkey::new([7; 32]);
/// let index = MechId(0).storage_index(NetUid(1));
/// let weights = [(Uid(1), 65_535), (Uid(4), 100)];
/// let salt = CommitSalt::new(vec![1, 2, 3]);
/// let hash = |version_key| commit_hash(hotkey, index, &weights, &salt, version_key);
/// assert_ne!(hash(0), hash(1));
/// ```
pub fn commit_hash(
    hotkey: Hotkey,
    storage_index: u16,
    weights: &[(Uid, u16)],
    salt: &CommitSalt,
    version_key: u64,
) -> [u8; 32] {
    let mut hash = Blake2b::<U32>::new();
    hash.update(hotkey.account().as_bytes());
    hash.update(storage_index.to_le_bytes());
    columns(weights).using_encoded(|bytes| hash.update(bytes));
    let mut salt = salt.0.encode();
    hash.update(&salt);
    salt.zeroize();
    hash.update(version_key.to_le_bytes());
    hash.finalize().into()
}

/// Uids and values apart, as calls and payloads carry them.
pub(crate) fn columns(weights: &[(Uid, u16)]) -> (Vec<u16>, Vec<u16>) {
    weights.iter().map(|(uid, value)| (uid.0, *value)).unzip()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn salts_are_chance_and_stay_hidden() {
        let mut rng = StdRng::seed_from_u64(1);
        let (first, second) = (CommitSalt::random(&mut rng), CommitSalt::random(&mut rng));
        assert_eq!(first.numbers().len(), 8);
        assert_ne!(first, second);
        assert_eq!(format!("{first:?}"), "CommitSalt(hidden)");
    }
}
