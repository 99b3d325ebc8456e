use std::collections::BTreeMap;

use adit_primitives::{AxonInfo, Block, Hotkey, NetUid};
use adit_wallet::Keypair;
use subxt::ext::scale_value::{Composite, Value};

use super::{
    Shared,
    snapshot::{Snapshot, account_key, netuid_key},
    submit::Call,
};
use crate::{Error, Result, Served};

/// An axon as storage holds it: fields by name, so that one more or less breaks nothing.
pub(super) type AxonFields = BTreeMap<String, u128>;

/// Reads stored fields; `None` for an address that is none or for numbers out of range.
pub(super) fn read(fields: &AxonFields) -> Option<AxonInfo> {
    let field = |name: &str| fields.get(name).copied().unwrap_or(0);
    let ip_type = u8::try_from(field("ip_type")).ok()?;
    Some(AxonInfo {
        ip: AxonInfo::ip_from_chain(field("ip"), ip_type)?,
        port: u16::try_from(field("port")).ok()?,
        protocol: u8::try_from(field("protocol")).ok()?,
        version: u32::try_from(field("version")).ok()?,
        block: Block(u64::try_from(field("block")).ok()?),
    })
}

async fn on_chain(snapshot: &Snapshot, netuid: NetUid, hotkey: Hotkey) -> Result<Option<AxonInfo>> {
    let mut query = snapshot.query();
    let keys = vec![netuid_key(netuid), account_key(hotkey.account())];
    let slot = query.subtensor::<AxonFields>("Axons", keys)?;
    let answers = query.fetch().await?;
    Ok(answers.optional(&slot)?.as_ref().and_then(read))
}

fn same(left: &AxonInfo, right: &AxonInfo) -> bool {
    let block = Block(0);
    AxonInfo { block, ..*left } == AxonInfo { block, ..*right }
}

/// Announces an axon unless the chain already has it.
pub(super) async fn serve(
    shared: &Shared,
    hotkey: &Keypair,
    netuid: NetUid,
    axon: &AxonInfo,
) -> Result<Served> {
    let read_now = || async { on_chain(&shared.snapshot().await?, netuid, hotkey.hotkey()).await };
    let stored = shared.retrying(read_now).await?;
    if stored.is_some_and(|stored| same(&stored, axon)) {
        return Ok(Served::AlreadySo);
    }
    let (ip, ip_type) = axon.chain_ip();
    let call = Call {
        name: "SubtensorModule.serve_axon",
        arguments: Composite::named([
            ("netuid", Value::u128(netuid.0.into())),
            ("version", Value::u128(axon.version.into())),
            ("ip", Value::u128(ip)),
            ("port", Value::u128(axon.port.into())),
            ("ip_type", Value::u128(ip_type.into())),
            ("protocol", Value::u128(axon.protocol.into())),
            ("placeholder1", Value::u128(0)),
            ("placeholder2", Value::u128(0)),
        ]),
    };
    let included = shared.submit(&call, hotkey).await?;
    let read_back = || async {
        on_chain(
            &shared.snapshot_at(included.head).await?,
            netuid,
            hotkey.hotkey(),
        )
        .await
    };
    match shared.retrying(read_back).await? {
        Some(stored) if same(&stored, axon) => Ok(Served::OnChain {
            block: included.head.number,
            block_hash: included.head.hash,
            extrinsic: included.extrinsic.0,
        }),
        _ => Err(Error::AxonReadBack { netuid }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, u128)]) -> AxonFields {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect()
    }

    #[test]
    fn absent_fields_default_and_wrong_ones_are_no_axon() {
        let axon = read(&fields(&[
            ("ip", 3_232_235_786),
            ("ip_type", 4),
            ("port", 80),
        ]))
        .unwrap();
        assert_eq!(axon.socket().to_string(), "192.168.1.10:80");
        assert_eq!(axon.version, 0);
        assert!(read(&fields(&[("ip", 1 << 40), ("ip_type", 4), ("port", 80)])).is_none());
        assert!(read(&fields(&[("ip", 1), ("ip_type", 4), ("port", 1 << 16)])).is_none());
        assert!(read(&fields(&[("ip", 1), ("ip_type", 7)])).is_none());
        let axon = read(&fields(&[("ip", 1), ("ip_type", 6), ("port", 80)])).unwrap();
        assert_eq!(axon.socket().to_string(), "[::1]:80");
    }
}
