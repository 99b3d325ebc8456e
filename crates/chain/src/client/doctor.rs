use std::time::Duration;

use adit_primitives::{AxonInfo, Block, BlockHash, Clock, Hotkey, MechId, NetUid, Rao, Uid};

use super::{Client, ClientOptions, EndpointHealth, Pinned, link::Link};
use crate::Result;

/// Longest difference between our clock and the chain's that harms nothing: signed requests are
/// refused from ten seconds on.
pub const LONGEST_SKEW: Duration = Duration::from_secs(10);

/// How a chain looks from here, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Every endpoint, archives last.
    pub endpoints: Vec<EndpointHealth>,
    /// The chain itself; `None` where no endpoint can be used.
    pub chain: Option<ChainState>,
    /// Our neuron, where one was asked about.
    pub neuron: Option<NeuronReport>,
    /// What is wrong, in words; healthy when empty.
    pub problems: Vec<String>,
}

/// The chain at its newest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainState {
    /// Its first block.
    pub genesis: BlockHash,
    /// The runtime's version.
    pub spec_version: u32,
    /// The newest block.
    pub block: Block,
    /// Milliseconds our clock is ahead of the newest block's. A block is up to one block time old,
    /// so that this is between 0 and that on a healthy machine. `None` at the first block, which
    /// has no time.
    pub ahead_ms: Option<i64>,
}

/// A hotkey's standing on a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeuronReport {
    /// The subnet.
    pub netuid: NetUid,
    /// The hotkey.
    pub hotkey: Hotkey,
    /// Its place, `None` when it is not registered; the fields below then say nothing.
    pub uid: Option<Uid>,
    /// Whether it may set weights on others.
    pub validator_permit: bool,
    /// Stake behind it, without what child keys bring or take.
    pub stake: Rao,
    /// Stake needed to set weights.
    pub stake_threshold: Rao,
    /// Where it listens, by its own word.
    pub axon: Option<AxonInfo>,
    /// Blocks until it may announce its axon again; 0 for now.
    pub serving_wait: u64,
    /// Blocks between two weight vectors.
    pub weights_rate_limit: u64,
    /// Blocks until it may set weights again; 0 for now.
    pub weights_wait: u64,
    /// The lowest version key the subnet takes.
    pub weights_version: u64,
    /// Whether weights must be committed first.
    pub commit_reveal: bool,
    /// Epochs from commit to reveal.
    pub reveal_period: Option<u64>,
    /// How many weights it has on chain.
    pub weights: usize,
    /// The block of its last weights (or last commit), `None` for never.
    pub last_update: Option<Block>,
    /// Blocks since then.
    pub weights_age: Option<u64>,
    /// Blocks without weights after which it no longer counts.
    pub activity_cutoff: Option<u64>,
}

/// Looks at every endpoint, at the chain behind them and, where one is named, at a neuron's
/// standing. Public keys are all it needs.
///
/// A failure to reach something is a finding and no error.
///
/// # Errors
/// [`Error::NoEndpoint`](crate::Error::NoEndpoint) and
/// [`Error::Endpoint`](crate::Error::Endpoint).
pub async fn examine(
    endpoints: &[String],
    options: ClientOptions,
    neuron: Option<(NetUid, Hotkey)>,
    clock: &dyn Clock,
) -> Result<ChainReport> {
    let link = Link::new(endpoints, options.clone())?;
    // The first endpoint that answers decides which chain it is; its failure is in the records.
    let _ = link.connection().await;
    link.probe().await;
    let mut report = ChainReport {
        endpoints: link.health().await,
        chain: None,
        neuron: None,
        problems: Vec::new(),
    };
    let lagging = options.longest_lag;
    for endpoint in &report.endpoints {
        report.problems.extend(trouble_with(endpoint, lagging));
    }
    drop(link);
    let once = ClientOptions {
        attempts: 1,
        ..options
    };
    match look(endpoints, once, neuron, clock, &mut report).await {
        Ok(()) => {}
        Err(error) => report.problems.push(format!("the chain: {error}")),
    }
    Ok(report)
}

fn trouble_with(endpoint: &EndpointHealth, longest_lag: u64) -> Option<String> {
    let url = &endpoint.endpoint;
    if endpoint.reachable != Some(true) {
        let reason = endpoint.last_error.as_deref().unwrap_or("no answer");
        return Some(format!("{url} cannot be used: {reason}"));
    }
    let lag = endpoint.lag.filter(|lag| *lag > longest_lag)?;
    Some(format!("{url} is {lag} blocks behind"))
}

async fn look(
    endpoints: &[String],
    options: ClientOptions,
    neuron: Option<(NetUid, Hotkey)>,
    clock: &dyn Clock,
    report: &mut ChainReport,
) -> Result<()> {
    let client = Client::connect(endpoints, options).await?;
    let pinned = client.pin().await?;
    let made = pinned.unix_millis().await?;
    let ahead_ms = i128::from(clock.unix_millis()) - i128::from(made);
    let ahead_ms = (made > 0).then(|| i64::try_from(ahead_ms).unwrap_or(i64::MAX));
    report.chain = Some(ChainState {
        genesis: client.genesis().await?,
        spec_version: pinned.spec_version().await?,
        block: pinned.block(),
        ahead_ms,
    });
    report.problems.extend(ahead_ms.and_then(skew));
    if let Some((netuid, hotkey)) = neuron {
        let neuron = standing(&pinned, netuid, hotkey).await?;
        report.problems.extend(neuron.problems());
        report.neuron = Some(neuron);
    }
    Ok(())
}

/// What a difference between the clocks means.
fn skew(ahead_ms: i64) -> Option<String> {
    /// A chain whose blocks are this old stands still, or our clock runs ahead.
    const OLDEST_HEAD_MS: i64 = 60_000;
    let longest = i64::try_from(LONGEST_SKEW.as_millis()).unwrap_or(i64::MAX);
    let seconds = ahead_ms / 1_000;
    if ahead_ms < -longest {
        return Some(format!(
            "our clock is {} s behind the chain's: signed requests will be refused",
            -seconds
        ));
    }
    (ahead_ms > OLDEST_HEAD_MS).then(|| {
        format!(
            "the newest block is {seconds} s old: the chain stands still or our clock is ahead of it"
        )
    })
}

async fn standing(pinned: &Pinned, netuid: NetUid, hotkey: Hotkey) -> Result<NeuronReport> {
    const MECHANISM: MechId = MechId(0);
    let settings = pinned.hyperparameters(netuid).await?;
    let uid = pinned.uid(netuid, hotkey).await?;
    let stake = pinned.stake(netuid, hotkey).await?;
    let axon = pinned.axon(netuid, hotkey).await?;
    let (mut permit, mut weights, mut last_update) = (false, 0, None);
    if let Some(uid) = uid {
        permit = pinned.validator_permit(netuid, uid).await?;
        weights = pinned.weights_of(netuid, MECHANISM, uid).await?.len();
        let updates = pinned.last_updates(netuid, MECHANISM).await?;
        last_update = updates.get(&uid).copied().filter(|block| block.0 > 0);
    }
    let now = pinned.block();
    let wait = |limit: u64, last: Option<Block>| match last {
        Some(last) if limit > 0 => limit.saturating_sub(now.since(last)),
        _ => 0,
    };
    let weights_rate_limit = settings.weights_rate_limit.unwrap_or(0);
    let serving_rate_limit = settings.serving_rate_limit.unwrap_or(0);
    let announced = axon.map(|axon| axon.block).filter(|block| block.0 > 0);
    Ok(NeuronReport {
        netuid,
        hotkey,
        uid,
        validator_permit: permit,
        stake: stake.total(),
        stake_threshold: Rao(settings.stake_threshold.unwrap_or(0)),
        axon,
        serving_wait: wait(serving_rate_limit, announced),
        weights_rate_limit,
        weights_wait: wait(weights_rate_limit, last_update),
        weights_version: settings.weights_version.unwrap_or(0),
        commit_reveal: settings.commit_reveal_enabled.unwrap_or(false),
        reveal_period: settings.commit_reveal_period,
        weights,
        last_update,
        weights_age: last_update.map(|block| now.since(block)),
        activity_cutoff: settings.activity_cutoff.map(u64::from),
    })
}

impl NeuronReport {
    /// What keeps a validator from setting weights that count.
    fn problems(&self) -> Vec<String> {
        let Self {
            netuid,
            hotkey,
            stake,
            stake_threshold,
            ..
        } = self;
        let Some(uid) = self.uid else {
            return vec![format!("{hotkey} is not registered on subnet {netuid}")];
        };
        let mut found = Vec::new();
        if !self.validator_permit {
            found.push(format!(
                "uid {uid} has no validator permit on subnet {netuid}"
            ));
        }
        if stake < stake_threshold {
            found.push(format!(
                "the stake of {stake} is below the {stake_threshold} needed to set weights"
            ));
        }
        if let (Some(age), Some(cutoff)) = (self.weights_age, self.activity_cutoff)
            && age > cutoff
        {
            found.push(format!(
                "the last weights are {age} blocks old; after {cutoff} a validator no longer counts"
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_too_much_are_told() {
        for fine in [0, 12_000, 59_000, -9_000] {
            assert_eq!(skew(fine), None, "{fine}");
        }
        assert!(skew(-11_000).unwrap().contains("11 s behind"));
        assert!(skew(61_000).unwrap().contains("61 s old"));
        assert!(skew(i64::MIN + 1).is_some() && skew(i64::MAX).is_some());
    }
}
