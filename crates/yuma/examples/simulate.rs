//! What would my weights earn? Runs a subnet of a few validators for some epochs, with my row of
//! weights as it is and as I propose it, and prints both beside each other.
//!
//! ```text
//! cargo run -p adit-yuma --example simulate                  # the scenario built in
//! cargo run -p adit-yuma --example simulate -- scenario.toml
//! ```
//!
//! `simulate.toml` beside this file is the scenario built in, and says what each field means.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, Write},
};

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{
    BlockPools, EpochInput, EpochNeuron, EpochOutput, EpochParameters, LiquidAlpha, RootProportion,
    epoch,
};
use serde::Deserialize;

const BUILT_IN: &str = include_str!("simulate.toml");

/// More makes no figure clearer.
const MOST_EPOCHS: u16 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    me: u16,
    neurons: u16,
    #[serde(default = "one")]
    epochs: u16,
    #[serde(default = "default_tempo")]
    tempo: u16,
    #[serde(default = "default_owner_cut")]
    owner_cut: u16,
    /// TAO for one alpha.
    #[serde(default)]
    alpha_price: f64,
    #[serde(default)]
    kappa: Option<u16>,
    #[serde(default)]
    yuma3: bool,
    #[serde(default)]
    liquid_alpha: bool,
    validators: Vec<Validator>,
    proposed: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Validator {
    uid: u16,
    /// Alpha, or TAO at its weight, whole.
    stake: u64,
    weights: Row,
}

/// Weights by uid, which TOML has as text.
type Row = BTreeMap<String, u16>;

fn one() -> u16 {
    1
}

fn default_tempo() -> u16 {
    360
}

fn default_owner_cut() -> u16 {
    11_796
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args_os().nth(1) {
        Some(path) => fs::read_to_string(path)?,
        None => BUILT_IN.to_owned(),
    };
    report(&text, &mut io::stdout().lock())
}

fn report(scenario: &str, to: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let scenario: Scenario = toml::from_str(scenario)?;
    let now = scenario.run(None)?;
    let then = scenario.run(Some(&scenario.proposed))?;
    let price = scenario.alpha_price;
    writeln!(
        to,
        "Alpha in epoch {} of {} blocks, now -> with uid {}'s proposed weights",
        scenario.epochs, scenario.tempo, scenario.me
    )?;
    writeln!(
        to,
        "{:>5}  {:>17}  {:>17}  {:>17}  {:>21}  {:>10}",
        "uid", "consensus", "incentive", "dividends", "alpha", "change"
    )?;
    for uid in 0..usize::from(scenario.neurons) {
        let (earned, would_earn) = (alpha(now.emission[uid]), alpha(then.emission[uid]));
        let mark = if uid == usize::from(scenario.me) {
            "*"
        } else {
            " "
        };
        writeln!(
            to,
            "{mark}{uid:>4}  {}  {}  {}  {earned:>9.3} ->{would_earn:>9.3}  {:>+10.3}",
            pair(now.consensus[uid], then.consensus[uid]),
            pair(now.incentive[uid], then.incentive[uid]),
            pair(now.dividends[uid], then.dividends[uid]),
            would_earn - earned,
        )?;
    }
    let me = usize::from(scenario.me);
    let trust = pair(now.validator_trust[me], then.validator_trust[me]);
    writeln!(to, "\nuid {me}: validator trust {}", trust.trim_start())?;
    let (earned, would_earn) = (alpha(now.emission[me]), alpha(then.emission[me]));
    writeln!(
        to,
        "uid {me}: {earned:.3} -> {would_earn:.3} alpha an epoch"
    )?;
    if price > 0.0 {
        let (earned, would_earn) = (earned * price, would_earn * price);
        writeln!(
            to,
            "uid {me}: {earned:.4} -> {would_earn:.4} TAO at {price} TAO an alpha"
        )?;
    }
    Ok(())
}

impl Scenario {
    /// The last epoch, my weights being `mine` where given.
    fn run(&self, mine: Option<&Row>) -> Result<EpochOutput, Box<dyn Error>> {
        if self.epochs == 0 || self.epochs > MOST_EPOCHS {
            return Err(format!("epochs must be 1 to {MOST_EPOCHS}").into());
        }
        if self.me >= self.neurons {
            return Err("me must be less than neurons".into());
        }
        let mut neurons = vec![EpochNeuron::default(); usize::from(self.neurons)];
        for validator in &self.validators {
            let row = mine.filter(|_| validator.uid == self.me);
            let neuron = neurons
                .get_mut(usize::from(validator.uid))
                .ok_or_else(|| format!("validator {} is not a neuron", validator.uid))?;
            neuron.stake = Rao::from_tao(validator.stake);
            neuron.validator_permit = true;
            neuron.weights = cells(row.unwrap_or(&validator.weights))?;
        }
        let parameters = EpochParameters {
            kappa: self.kappa.unwrap_or(EpochParameters::default().kappa),
            yuma3: self.yuma3,
            liquid_alpha: self.liquid_alpha.then(LiquidAlpha::default),
            ..EpochParameters::default()
        };
        // Nobody stakes on root here, so that validators share half of what is left.
        let block = BlockPools::of(Rao::from_tao(1), self.owner_cut, RootProportion::default());
        let tempo = u64::from(self.tempo);
        let mut input = EpochInput {
            emission: Rao(block.for_epoch().0.saturating_mul(tempo)),
            neurons,
            ..EpochInput::default()
        };
        let mut output = EpochOutput::default();
        for number in 1..=u64::from(self.epochs) {
            input.last_epoch = Block(1 + (number - 1) * tempo);
            input.current_block = Block(number * tempo);
            for neuron in &mut input.neurons {
                // Everybody sets weights in every epoch.
                neuron.last_update = input.current_block;
            }
            output = epoch(&input, &parameters)?;
            for (neuron, bonds) in input.neurons.iter_mut().zip(&output.bonds) {
                neuron.bonds.clone_from(bonds);
            }
        }
        Ok(output)
    }
}

fn cells(row: &Row) -> Result<Vec<(Uid, u16)>, Box<dyn Error>> {
    let mut cells = Vec::with_capacity(row.len());
    for (uid, weight) in row {
        let uid = uid.parse().map_err(|_| format!("{uid:?} is not a uid"))?;
        cells.push((Uid(uid), *weight));
    }
    cells.sort_unstable_by_key(|(uid, _)| uid.0);
    Ok(cells)
}

/// Two proportions of 65,535 in per cent.
fn pair(now: u16, then: u16) -> String {
    let percent = |value: u16| f64::from(value) * 100.0 / f64::from(u16::MAX);
    format!("{:>6.2} ->{:>6.2} %", percent(now), percent(then))
}

fn alpha(amount: Rao) -> f64 {
    amount.0 as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(scenario: &str) -> Result<String, String> {
        let mut text = Vec::new();
        report(scenario, &mut text).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_scenario_built_in_shows_what_agreeing_earns() {
        let scenario: Scenario = toml::from_str(BUILT_IN).unwrap();
        let me = usize::from(scenario.me);
        let now = scenario.run(None).unwrap();
        let then = scenario.run(Some(&scenario.proposed)).unwrap();
        assert!(then.validator_trust[me] > now.validator_trust[me]);
        assert!(then.dividends[me] > now.dividends[me]);
        let text = printed(BUILT_IN).unwrap();
        assert_eq!(text.matches("->").count(), 4 * 6 + 4, "{text}");
        assert!(text.contains("TAO at 0.02 TAO an alpha"), "{text}");
    }

    #[test]
    fn scenarios_that_say_nonsense_are_refused() {
        let replaced = |from: &str, to: &str| {
            assert!(BUILT_IN.contains(from), "{from}");
            printed(&BUILT_IN.replace(from, to)).unwrap_err()
        };
        assert_eq!(
            replaced("epochs = 20", "epochs = 0"),
            "epochs must be 1 to 1000"
        );
        assert_eq!(
            replaced("me = 1", "me = 60"),
            "me must be less than neurons"
        );
        assert_eq!(
            replaced("uid = 2", "uid = 9"),
            "validator 9 is not a neuron"
        );
        assert_eq!(replaced("\"5\" = 10", "\"x\" = 10"), "\"x\" is not a uid");
        assert!(replaced("\"5\" = 10", "\"7\" = 10").contains("uid 7"));
        assert!(replaced("tempo", "temp").contains("unknown field"));
    }
}
