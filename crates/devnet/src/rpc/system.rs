use adit_primitives::{AccountId as Account, Clock as _, SystemClock};
use codec::Decode as _;
use jsonrpsee::RpcModule;
use serde_json::{Value, json};

use super::{Answer, Arguments, INVALID_PARAMS, Registered, failure, to_hex};
use crate::{
    devnet::Node,
    runtime::{Extrinsic, TransactionPayment},
    state::run_over,
};

pub(super) fn register(module: &mut RpcModule<Node>) -> Registered {
    let constants: [(&'static str, Value); 9] = [
        ("system_chain", json!("Bittensor")),
        ("system_chainType", json!("Local")),
        ("system_name", json!("adit-devnet")),
        ("system_version", json!(env!("CARGO_PKG_VERSION"))),
        (
            "system_properties",
            json!({ "tokenSymbol": "TAO", "tokenDecimals": 9, "ss58Format": 42 }),
        ),
        (
            "system_health",
            json!({ "peers": 0, "isSyncing": false, "shouldHavePeers": false }),
        ),
        ("system_nodeRoles", json!(["Authority"])),
        ("system_peers", json!([])),
        ("system_localListenAddresses", json!([])),
    ];
    for (name, value) in constants {
        module.register_method(name, move |_, _, _| value.clone())?;
    }
    module.register_method("system_syncState", |_, node, _| {
        let best = node.chain().best_number();
        json!({ "startingBlock": 0, "currentBlock": best, "highestBlock": best })
    })?;
    module.register_method("system_accountNextIndex", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let account = Account::from_ss58(arguments.text(0)?)
            .map_err(|error| failure(INVALID_PARAMS, error.to_string()))?;
        Answer::Ok(node.chain().next_nonce(&(*account.as_bytes()).into()))
    })?;
    module.register_alias("account_nextIndex", "system_accountNextIndex")?;
    module.register_method("system_dryRun", |params, node, _| {
        let bytes = Arguments::of(&params)?.bytes(0)?;
        let now = SystemClock.unix_millis();
        let result = node.chain().dry_run(&bytes, now);
        let result = result.map_err(|error| failure(INVALID_PARAMS, error.to_string()))?;
        Answer::Ok(to_hex(&result))
    })?;
    module.register_alias("system_dryRunAt", "system_dryRun")?;
    module.register_method("payment_queryInfo", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let bytes = arguments.bytes(0)?;
        let extrinsic = Extrinsic::decode(&mut bytes.as_slice())
            .map_err(|error| failure(INVALID_PARAMS, error.to_string()))?;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let state = super::view(&node.chain(), arguments.hash(1)?)?.map();
        let (info, _) = run_over(state, || TransactionPayment::query_info(extrinsic, length));
        Answer::Ok(json!({
            "weight": {
                "ref_time": info.weight.ref_time(),
                "proof_size": info.weight.proof_size(),
            },
            "class": format!("{:?}", info.class).to_lowercase(),
            "partialFee": info.partial_fee.to_string(),
        }))
    })?;
    Ok(())
}
