use adit_primitives::Block;

/// When a neuron reads the subnet anew and sets its weights, as the original systems decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncRules {
    /// Both are due when *more* than this many blocks passed since the neuron's last update.
    pub interval_blocks: u64,
    /// Never set weights.
    pub disable_set_weights: bool,
}

impl SyncRules {
    /// Whether the metagraph is to be read anew. A last update in the future is not due.
    pub fn resync_is_due(&self, block: Block, last_update: Block) -> bool {
        block.0.saturating_sub(last_update.0) > self.interval_blocks
    }

    /// Whether weights are to be set: by a validator (`validates`) that has taken at least one
    /// step, by the same interval.
    pub fn weights_are_due(
        &self,
        block: Block,
        last_update: Block,
        step: u64,
        validates: bool,
    ) -> bool {
        validates
            && step != 0
            && !self.disable_set_weights
            && self.resync_is_due(block, last_update)
    }
}

/// Whether the chain's rate limit lets weights be set now: no limit, never set before, or at least
/// `limit` blocks ago. Versions 9 and 10 of the field's SDK ask for *more* than `limit`.
pub fn rate_limit_passed(block: Block, last_update: Block, limit: u64) -> bool {
    limit == 0 || last_update.0 == 0 || block.0.saturating_sub(last_update.0) >= limit
}
