//! The methods by which tests steer the chain and make things go wrong; only with `faults` on.

use jsonrpsee::RpcModule;
use serde_json::{Value, json};

use super::{Answer, Arguments, INVALID_PARAMS, Registered, failure};
use crate::{devnet::Node, runtime::VERSION};

/// Blocks one call builds at most.
const MOST_BLOCKS: u64 = 10_000;

pub(super) fn register(module: &mut RpcModule<Node>) -> Registered {
    module.register_method("devnet_stall", |params, node, _| {
        let stalled = flag(&Arguments::of(&params)?, true);
        node.faults.stall(stalled);
        Answer::Ok(json!(stalled))
    })?;
    module.register_method("devnet_stallFinality", |params, node, _| {
        let stalled = flag(&Arguments::of(&params)?, true);
        node.chain().stall_finality(stalled);
        Answer::Ok(json!(stalled))
    })?;
    module.register_method("devnet_warp", |params, node, _| {
        let seconds = count(&Arguments::of(&params)?, 0)?;
        node.faults.warp(seconds.saturating_mul(1000));
        Answer::Ok(json!(seconds))
    })?;
    module.register_method("devnet_throttle", |params, node, _| {
        let requests = count(&Arguments::of(&params)?, 0)?;
        node.faults
            .throttle(u32::try_from(requests).unwrap_or(u32::MAX));
        Answer::Ok(json!(requests))
    })?;
    module.register_method("devnet_keepStates", |params, node, _| {
        let blocks = count(&Arguments::of(&params)?, 0)?;
        node.chain()
            .keep_states(usize::try_from(blocks).unwrap_or(usize::MAX));
        Answer::Ok(json!(blocks))
    })?;
    module.register_method("devnet_upgrade", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let spec = match arguments.value(0) {
            Value::Null => node.chain().spec_version().saturating_add(1),
            _ => u32::try_from(count(&arguments, 0)?).unwrap_or(u32::MAX),
        };
        if spec <= VERSION.spec_version {
            return Err(failure(INVALID_PARAMS, "the spec version must rise"));
        }
        node.chain().upgrade(spec);
        Ok(json!(spec))
    })?;
    module.register_method("devnet_evict", |_, node, _| json!(node.chain().evict()))?;
    module.register_method("devnet_dropSockets", |_, node, _| {
        node.faults.cut_connections();
        json!(null)
    })?;
    module.register_blocking_method("devnet_advance", |params, node, _| {
        let blocks = count(&Arguments::of(&params)?, 0)?.min(MOST_BLOCKS);
        build(&node, blocks)
    })?;
    module.register_blocking_method("devnet_reorganize", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let depth = count(&arguments, 0)?.min(MOST_BLOCKS);
        let keep = arguments.value(1).as_bool().unwrap_or(true);
        node.chain()
            .retract(usize::try_from(depth).unwrap_or(usize::MAX), keep)
            .map_err(|error| failure(INVALID_PARAMS, error.to_string()))?;
        build(&node, depth.saturating_add(1))
    })?;
    Ok(())
}

/// Builds blocks and answers with the number of the newest.
fn build(node: &Node, blocks: u64) -> Answer {
    for _ in 0..blocks {
        node.step()
            .map_err(|error| failure(super::CLIENT_ERROR, error.to_string()))?;
    }
    Ok(json!(node.chain().best_number()))
}

fn flag(arguments: &Arguments, default: bool) -> bool {
    arguments.value(0).as_bool().unwrap_or(default)
}

fn count(arguments: &Arguments, index: usize) -> Answer<u64> {
    let value = arguments.value(index).as_u64();
    value.ok_or_else(|| failure(INVALID_PARAMS, format!("parameter {index} is not a number")))
}
