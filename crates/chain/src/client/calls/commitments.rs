use adit_primitives::{CommitmentField, NetUid};

use super::{ChainCall, ChainValue};

/// Publishes up to three fields under a hotkey; signed by the hotkey, free. It replaces what the
/// hotkey had committed on this subnet.
pub fn set_commitment(netuid: NetUid, fields: &[CommitmentField]) -> ChainCall {
    let fields = ChainValue::List(fields.iter().map(data).collect());
    // A bounded list is a newtype around a list.
    let info = ChainValue::Record(vec![("fields".to_owned(), ChainValue::List(vec![fields]))]);
    ChainCall::new(
        "Commitments.set_commitment",
        [("netuid", netuid.into()), ("info", info)],
    )
}

fn data(field: &CommitmentField) -> ChainValue {
    let bytes = |name: &str, bytes: &[u8]| ChainValue::variant(name, [bytes.to_vec().into()]);
    match field {
        CommitmentField::None => ChainValue::variant("None", []),
        CommitmentField::Raw(raw) => bytes(&format!("Raw{}", raw.len()), raw),
        CommitmentField::BlakeTwo256(hash) => bytes("BlakeTwo256", hash),
        CommitmentField::Sha256(hash) => bytes("Sha256", hash),
        CommitmentField::Keccak256(hash) => bytes("Keccak256", hash),
        CommitmentField::ShaThree256(hash) => bytes("ShaThree256", hash),
        CommitmentField::TimelockEncrypted {
            encrypted,
            reveal_round,
        } => {
            let fields = vec![
                ("encrypted".to_owned(), encrypted.clone().into()),
                ("reveal_round".to_owned(), (*reveal_round).into()),
            ];
            ChainValue::Variant(
                "TimelockEncrypted".to_owned(),
                Box::new(ChainValue::Record(fields)),
            )
        }
        CommitmentField::ResetBondsFlag => ChainValue::variant("ResetBondsFlag", []),
        CommitmentField::BigRaw(raw) => bytes("BigRaw", raw),
    }
}
