/// Whether a neuron counts as a miner and is asked: it serves an axon, and is no validator, that is
/// not both permitted to validate and staked above `validator_stake_limit` (same unit as `stake`).
pub fn may_be_asked(
    is_serving: bool,
    validator_permit: bool,
    stake: f64,
    validator_stake_limit: f64,
) -> bool {
    is_serving && !(validator_permit && stake > validator_stake_limit)
}
