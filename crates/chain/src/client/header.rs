use adit_primitives::{Block, BlockHash};
use blake2::{Blake2b, Digest as _, digest::consts::U32};
use serde_json::Value;
use subxt::ext::codec::{Compact, Encode as _};

use super::connection::{read_bytes, read_hash, unreadable};
use crate::{BlockHead, Result};

/// A block's header as far as we need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) head: BlockHead,
    pub(super) parent: BlockHash,
}

impl Header {
    /// Reads a header and hashes it (blake2-256 of its SCALE bytes), so that a head that a node
    /// announces needs no second request for its hash.
    pub(super) fn read(header: &Value) -> Result<Self> {
        const WHAT: &str = "a block header";
        let hash = |name: &str| read_hash(header.get(name).unwrap_or(&Value::Null), WHAT);
        let parent = hash("parentHash")?;
        let number = read_number(header)?;
        let logs = header.pointer("/digest/logs").and_then(Value::as_array);
        let logs = logs.ok_or_else(|| unreadable(WHAT, "it has no digest"))?;
        let short = |_| unreadable(WHAT, "its number or digest is too large");
        let mut bytes = parent.0.to_vec();
        Compact(u32::try_from(number.0).map_err(short)?).encode_to(&mut bytes);
        bytes.extend(hash("stateRoot")?.0);
        bytes.extend(hash("extrinsicsRoot")?.0);
        Compact(u32::try_from(logs.len()).map_err(short)?).encode_to(&mut bytes);
        for log in logs {
            bytes.extend(read_bytes(log, WHAT)?);
        }
        let hash = BlockHash(Blake2b::<U32>::digest(&bytes).into());
        Ok(Self {
            head: BlockHead { number, hash },
            parent,
        })
    }
}

/// The number in a block header.
pub(super) fn read_number(header: &Value) -> Result<Block> {
    let number = header.get("number").and_then(Value::as_str);
    let digits = number.and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .map(Block)
        .ok_or_else(|| unreadable("a block header", "it has no number"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The genesis header of finney is the one header whose hash is common knowledge, but not its
    /// contents; Polkadot's is known with both.
    #[test]
    fn a_header_hashes_to_what_the_chain_says() {
        let header = json!({
            "parentHash": format!("0x{}", "0".repeat(64)),
            "number": "0x0",
            "stateRoot": "0x29d0d972cd27cbc511e9589fcb7a4506d5eb6a9e8df205f00472e5ab354a4e17",
            "extrinsicsRoot": "0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314",
            "digest": { "logs": [] },
        });
        let read = Header::read(&header).unwrap();
        assert_eq!(
            read.head.hash.to_string(),
            "0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3"
        );
        assert_eq!(read.head.number, Block(0));
    }

    #[test]
    fn nonsense_is_no_header() {
        for header in [
            json!(null),
            json!({}),
            json!({"number": "0x1"}),
            json!({"number": "12"}),
            json!({"parentHash": "0x00", "number": "0x1", "digest": {"logs": []}}),
        ] {
            assert!(Header::read(&header).is_err(), "{header}");
        }
    }
}
