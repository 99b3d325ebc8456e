//! The transactions of weights, one by one.

use adit_primitives::{BlockHash, MechId, NetUid, WeightVector};
use adit_wallet::Keypair;
use rand::{SeedableRng as _, rngs::StdRng};

use super::{Shared, call::ChainCall, calls, submit::Included};
use crate::{
    Error, Result, WeightsCall, WeightsReceipt,
    commit_reveal::{
        Beacon, TIMELOCK_VERSION, TimelockedWeights,
        timelock::{BeaconPublicKey, seal},
    },
};

/// Chains whose beacon everybody knows: finney, and the public test chain.
const PUBLIC: [[u8; 32]; 2] = [
    genesis("2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"),
    genesis("8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105"),
];

pub(super) async fn send(
    shared: &Shared,
    hotkey: &Keypair,
    netuid: NetUid,
    mechid: MechId,
    call: &WeightsCall,
) -> Result<WeightsReceipt> {
    let call = match call {
        WeightsCall::Set {
            weights,
            version_key,
        } if mechid == MechId(0) => calls::set_weights(netuid, weights, *version_key),
        WeightsCall::Set {
            weights,
            version_key,
        } => calls::set_mechanism_weights(netuid, mechid, weights, *version_key),
        WeightsCall::Commit { hash } => calls::commit_weights(netuid, mechid, *hash),
        WeightsCall::Reveal {
            weights,
            salt,
            version_key,
        } => calls::reveal_weights(netuid, mechid, weights, salt, *version_key),
        WeightsCall::CommitTimelocked {
            weights,
            version_key,
            beacon,
            round,
        } => {
            let genesis = shared
                .retrying(|| shared.link.connection())
                .await?
                .genesis();
            let sealed = sealed(genesis, hotkey, weights, *version_key, beacon, *round)?;
            calls::commit_timelocked_weights(netuid, mechid, &sealed, *round, TIMELOCK_VERSION)
        }
    };
    receipt(shared, hotkey, &call).await
}

async fn receipt(shared: &Shared, hotkey: &Keypair, call: &ChainCall) -> Result<WeightsReceipt> {
    let Included { head, extrinsic } = shared.submit(call, hotkey).await?;
    Ok(WeightsReceipt {
        head,
        extrinsic: extrinsic.0,
    })
}

fn sealed(
    genesis: BlockHash,
    hotkey: &Keypair,
    weights: &WeightVector,
    version_key: u64,
    beacon: &Beacon,
    round: u64,
) -> Result<Vec<u8>> {
    if PUBLIC.contains(&genesis.0) && *beacon != Beacon::QUICKNET {
        return Err(Error::ForeignBeacon);
    }
    let key = BeaconPublicKey::try_from(beacon)?;
    let payload = TimelockedWeights::new(hotkey.hotkey(), weights, version_key).encode();
    seal(&key, round, &payload, &mut StdRng::from_os_rng())
}

/// 32 bytes from their digits, when compiled.
const fn genesis(digits: &str) -> [u8; 32] {
    const fn nibble(digit: u8) -> u8 {
        match digit {
            b'a'..=b'f' => digit - b'a' + 10,
            _ => digit - b'0',
        }
    }
    let digits = digits.as_bytes();
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = nibble(digits[2 * at]) * 16 + nibble(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use adit_primitives::Uid;

    use super::*;
    use crate::commit_reveal::timelock::{BeaconSecret, open};

    #[test]
    fn public_chains_are_sealed_for_with_quicknet_only() {
        let hotkey = Keypair::from_uri("//Alice").unwrap();
        let weights = WeightVector::new(vec![(Uid(1), 7)]).unwrap();
        let secret = BeaconSecret::from_seed([1; 32]);
        let own = Beacon {
            public_key: secret.public_key().to_bytes(),
            ..Beacon::QUICKNET
        };
        let finney = BlockHash(PUBLIC[0]);
        assert_eq!(
            finney.to_string(),
            "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"
        );
        let on = |genesis, beacon| sealed(genesis, &hotkey, &weights, 3, beacon, 9);
        for public in PUBLIC {
            let refused = on(BlockHash(public), &own);
            assert!(matches!(refused, Err(Error::ForeignBeacon)));
            assert!(on(BlockHash(public), &Beacon::QUICKNET).is_ok());
        }
        let sealed = on(BlockHash([7; 32]), &own).unwrap();
        let opened = open(&sealed, &secret.sign(9)).unwrap();
        let expected = TimelockedWeights::new(hotkey.hotkey(), &weights, 3);
        assert_eq!(TimelockedWeights::decode(&opened).unwrap(), expected);
    }
}
