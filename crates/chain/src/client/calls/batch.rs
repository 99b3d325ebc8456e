use super::{ChainCall, ChainValue};

/// Calls one after the other up to the first that fails; what came before it stays done, and the
/// transaction as a whole counts as a success on chain.
pub fn batch(calls: impl IntoIterator<Item = ChainCall>) -> ChainCall {
    of("Utility.batch", calls)
}

/// Calls one after the other, all or none.
pub fn batch_all(calls: impl IntoIterator<Item = ChainCall>) -> ChainCall {
    of("Utility.batch_all", calls)
}

/// Calls one after the other, whichever fail.
pub fn force_batch(calls: impl IntoIterator<Item = ChainCall>) -> ChainCall {
    of("Utility.force_batch", calls)
}

fn of(name: &'static str, calls: impl IntoIterator<Item = ChainCall>) -> ChainCall {
    let calls = calls.into_iter().map(|call| call.as_argument()).collect();
    ChainCall::new(name, [("calls", ChainValue::List(calls))])
}
