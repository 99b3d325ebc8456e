use std::{collections::BTreeMap, net::SocketAddr};

use adit_primitives::{AxonInfo, Block, Hotkey, NetUid};
use adit_wallet::Keypair;
use subxt::ext::scale_value::Value;

use super::{
    Client, Shared, calls,
    outcome::TransactionReceipt,
    snapshot::{Snapshot, account_key, netuid_key},
    value::ChainValue,
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
    let call = calls::serve_axon(netuid, axon);
    let included = shared.submit(call, hotkey).await?;
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

impl Client {
    /// As [`Chain::serve_axon`](crate::Chain::serve_axon), with a certificate for TLS beside it:
    /// a byte for its algorithm and a public key of up to 64 bytes.
    ///
    /// Skipped when the chain already has exactly both. A certificate that the chain cannot read is
    /// left out by it without a word; that is why it is read back.
    ///
    /// # Errors
    /// [`Error::NoSigner`], [`Error::Certificate`] for one of another size, [`Error::Refused`] or
    /// [`Error::Pool`] with the chain's reason, [`Error::AxonReadBack`], or a failure to reach the
    /// chain.
    pub async fn serve_axon_tls(
        &self,
        netuid: NetUid,
        axon: &AxonInfo,
        certificate: &[u8],
    ) -> Result<Served> {
        let (shared, hotkey) = (&self.shared, self.hotkey()?);
        if !(2..=65).contains(&certificate.len()) {
            return Err(Error::Certificate {
                bytes: certificate.len(),
            });
        }
        let account = hotkey.hotkey();
        let so = |stored: Option<AxonInfo>, found: Option<Vec<u8>>| {
            stored.is_some_and(|stored| same(&stored, axon))
                && found.as_deref() == Some(certificate)
        };
        let now = || async {
            let snapshot = shared.snapshot().await?;
            let found = certificate_of(&snapshot, netuid, account).await?;
            Ok(so(on_chain(&snapshot, netuid, account).await?, found))
        };
        if shared.retrying(now).await? {
            return Ok(Served::AlreadySo);
        }
        let call = calls::serve_axon_tls(netuid, axon, certificate);
        let included = shared.submit(call, hotkey).await?;
        let then = || async {
            let snapshot = shared.snapshot_at(included.head).await?;
            let found = certificate_of(&snapshot, netuid, account).await?;
            Ok(so(on_chain(&snapshot, netuid, account).await?, found))
        };
        if !shared.retrying(then).await? {
            return Err(Error::AxonReadBack { netuid });
        }
        Ok(Served::OnChain {
            block: included.head.number,
            block_hash: included.head.hash,
            extrinsic: included.extrinsic.0,
        })
    }

    /// Announces where our metrics can be read. Skipped when the chain already says so.
    ///
    /// # Errors
    /// [`Error::NoSigner`], [`Error::Refused`] or [`Error::Pool`] with the chain's reason,
    /// [`Error::AxonReadBack`], or a failure to reach the chain.
    pub async fn serve_prometheus(
        &self,
        netuid: NetUid,
        at: SocketAddr,
        version: u32,
    ) -> Result<Served> {
        let (shared, hotkey) = (&self.shared, self.hotkey()?);
        let account = hotkey.hotkey();
        let wanted = Some((at, version));
        let now = || async { prometheus(&shared.snapshot().await?, netuid, account).await };
        if shared.retrying(now).await? == wanted {
            return Ok(Served::AlreadySo);
        }
        let call = calls::serve_prometheus(netuid, at, version);
        let report = shared.submit_reported(&call, hotkey).await?;
        let head = report.receipt.head();
        let then = || async { prometheus(&shared.snapshot_at(head).await?, netuid, account).await };
        if shared.retrying(then).await? != wanted {
            return Err(Error::AxonReadBack { netuid });
        }
        let TransactionReceipt {
            block,
            block_hash,
            extrinsic,
        } = report.receipt;
        Ok(Served::OnChain {
            block,
            block_hash,
            extrinsic,
        })
    }
}

/// A stored certificate as it was sent: the algorithm in front of the public key.
async fn certificate_of(
    snapshot: &Snapshot,
    netuid: NetUid,
    hotkey: Hotkey,
) -> Result<Option<Vec<u8>>> {
    let mut query = snapshot.query();
    let keys = vec![netuid_key(netuid), account_key(hotkey.account())];
    let slot = query.subtensor::<BTreeMap<String, Value>>("NeuronCertificates", keys)?;
    let answers = query.fetch().await?;
    let Some(fields) = answers.optional(&slot)? else {
        return Ok(None);
    };
    let field = |name: &str| fields.get(name).cloned().map(ChainValue::from_scale);
    let algorithm = field("algorithm").and_then(|value| value.number());
    let key = field("public_key").and_then(|value| value.bytes());
    let algorithm = algorithm.and_then(|number| u8::try_from(number).ok());
    Ok(match (algorithm, key) {
        (Some(algorithm), Some(key)) => Some([&[algorithm][..], &key].concat()),
        _ => None,
    })
}

async fn prometheus(
    snapshot: &Snapshot,
    netuid: NetUid,
    hotkey: Hotkey,
) -> Result<Option<(SocketAddr, u32)>> {
    let mut query = snapshot.query();
    let keys = vec![netuid_key(netuid), account_key(hotkey.account())];
    let slot = query.subtensor::<AxonFields>("Prometheus", keys)?;
    let answers = query.fetch().await?;
    let stored = answers.optional(&slot)?.as_ref().and_then(read);
    Ok(stored.map(|stored| (stored.socket(), stored.version)))
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
