//! Rotary position embeddings: pairs of components turned by an angle that grows with the position
//! (Su et al., «RoFormer», 2021), with the stretchings that published configurations name.

use std::f64::consts::TAU;

use serde::Deserialize;

/// Whirls per context below which YaRN stretches fully, and above which it leaves alone.
const YARN_SLOW: f64 = 1.0;
const YARN_FAST: f64 = 32.0;

/// The object `rope_parameters` (or, before, `rope_scaling`) of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct RotaryConfig {
    /// `rope_type`, once `type`.
    #[serde(alias = "type")]
    rope_type: Option<String>,
    pub(crate) rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    pub(crate) original_max_position_embeddings: Option<usize>,
    attention_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
}

/// The angles of a head's pairs of components.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rotary {
    /// Angle per position of each pair.
    frequencies: Vec<f32>,
    /// What sines and cosines are multiplied by.
    factor: f64,
    /// Positions that the stretching reaches, where it says so.
    pub(crate) reach: Option<usize>,
}

impl Rotary {
    /// For heads of `size` components, an even number; `positions` is the configuration's
    /// `max_position_embeddings`.
    ///
    /// # Errors
    /// What is wrong with the configuration, in words.
    pub(crate) fn new(
        config: &RotaryConfig,
        theta: f64,
        size: usize,
        positions: usize,
    ) -> Result<Self, String> {
        if !(1.0..=1e15).contains(&theta) {
            return Err(format!("rope_theta is {theta}, not 1 to 1e15"));
        }
        if config.partial_rotary_factor.is_some_and(|part| part != 1.0) {
            return Err("partial_rotary_factor is not 1: not supported".to_owned());
        }
        let own = |pair: usize| theta.powf(-((2 * pair) as f64) / size as f64);
        let all: Vec<f64> = (0..size / 2).map(own).collect();
        let kind = config.rope_type.as_deref().unwrap_or("default");
        let (frequencies, factor, reach) = match kind {
            "default" => (all, 1.0, None),
            "linear" => {
                let stretch = config.factor()?;
                let slower = |frequency| frequency / stretch;
                (all.into_iter().map(slower).collect(), 1.0, None)
            }
            "llama3" => (config.llama3(&all, positions)?, 1.0, None),
            "yarn" => config.yarn(&all, theta, size, positions)?,
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!("rope_type is {shown:?}: not supported"));
            }
        };
        Ok(Self {
            frequencies: frequencies.into_iter().map(|value| value as f32).collect(),
            factor,
            reach,
        })
    }

    /// Cosines and sines of every pair at `count` positions from `first`, position by position. Angles
    /// are rounded to f32 first, as the references do.
    pub(crate) fn angles(&self, first: usize, count: usize) -> (Vec<f32>, Vec<f32>) {
        let pairs = self.frequencies.len();
        let mut cosines = Vec::with_capacity(count * pairs);
        let mut sines = Vec::with_capacity(count * pairs);
        for position in first..first.saturating_add(count) {
            for frequency in &self.frequencies {
                let (sine, cosine) = f64::from(position as f32 * frequency).sin_cos();
                cosines.push((cosine * self.factor) as f32);
                sines.push((sine * self.factor) as f32);
            }
        }
        (cosines, sines)
    }
}

impl RotaryConfig {
    fn positive(value: Option<f64>, name: &str) -> Result<f64, String> {
        match value {
            Some(value) if value > 0.0 && value <= 1e9 => Ok(value),
            Some(value) => Err(format!("{name} of the rotary embeddings is {value}")),
            None => Err(format!("the rotary embeddings lack {name}")),
        }
    }

    fn factor(&self) -> Result<f64, String> {
        match Self::positive(self.factor, "factor")? {
            factor if factor >= 1.0 => Ok(factor),
            factor => Err(format!("factor of the rotary embeddings is {factor}")),
        }
    }

    /// Low frequencies slowed by `factor`, high ones left, those between blended (Llama 3.1).
    fn llama3(&self, all: &[f64], positions: usize) -> Result<Vec<f64>, String> {
        let factor = self.factor()?;
        let low = Self::positive(self.low_freq_factor, "low_freq_factor")?;
        let high = Self::positive(self.high_freq_factor, "high_freq_factor")?;
        if high <= low {
            return Err(format!("high_freq_factor {high} is not above {low}"));
        }
        let context = self.original_max_position_embeddings.unwrap_or(positions) as f64;
        let blend = |frequency: &f64| {
            let whirls = context * frequency / TAU;
            let kept = ((whirls - low) / (high - low)).clamp(0.0, 1.0);
            (1.0 - kept) * frequency / factor + kept * frequency
        };
        Ok(all.iter().map(blend).collect())
    }

    /// YaRN (Peng et al., 2023): a ramp over the pairs between two numbers of whirls in the original
    /// context, and sharper attention.
    fn yarn(
        &self,
        all: &[f64],
        theta: f64,
        size: usize,
        positions: usize,
    ) -> Result<(Vec<f64>, f64, Option<usize>), String> {
        let factor = self.factor()?;
        let context = self.original_max_position_embeddings.unwrap_or(positions);
        let sharper = |scale: f64| 1.0 + 0.1 * scale * factor.ln();
        let sharpness = match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(given), _, _) => Self::positive(Some(given), "attention_factor")?,
            (None, Some(one), Some(all)) if one != 0.0 && all != 0.0 => sharper(one) / sharper(all),
            _ => sharper(1.0),
        };
        let fast = Self::positive(self.beta_fast.or(Some(YARN_FAST)), "beta_fast")?;
        let slow = Self::positive(self.beta_slow.or(Some(YARN_SLOW)), "beta_slow")?;
        if theta <= 1.0 {
            return Err(format!("rope_theta is {theta}, YaRN needs more than 1"));
        }
        let pair =
            |whirls: f64| size as f64 * (context as f64 / (whirls * TAU)).ln() / (2.0 * theta.ln());
        let (mut low, mut high) = (pair(fast), pair(slow));
        if self.truncate != Some(false) {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, mut high) = (low.max(0.0), high.min(size as f64 - 1.0));
        if low == high {
            high += 0.001;
        }
        let blend = |(index, frequency): (usize, &f64)| {
            let stretched = ((index as f64 - low) / (high - low)).clamp(0.0, 1.0);
            stretched * frequency / factor + (1.0 - stretched) * frequency
        };
        let frequencies = all.iter().enumerate().map(blend).collect();
        Ok((
            frequencies,
            sharpness,
            Some((context as f64 * factor) as usize),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Rotary, RotaryConfig};

    fn of(json: &str) -> Result<Rotary, String> {
        let config: RotaryConfig = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Rotary::new(&config, 10_000.0, 8, 4096)
    }

    #[test]
    fn the_first_pair_turns_once_per_radian() {
        let rotary = of("{}").unwrap_or_else(|_| unreachable!("the default is sound"));
        let (cosines, sines) = rotary.angles(3, 2);
        assert_eq!(cosines.len(), 8);
        assert_eq!(sines.first(), Some(&3_f32.sin()));
        assert_eq!(cosines.get(4), Some(&4_f32.cos()));
        let slow = 3.0 * 10_000_f64.powf(-0.75);
        assert!((f64::from(sines[3]) - slow.sin()).abs() < 1e-7);
    }

    #[test]
    fn stretching_by_one_changes_nothing() {
        let own = of("{}");
        for json in [
            r#"{"rope_type": "linear", "factor": 1.0}"#,
            r#"{"type": "llama3", "factor": 1, "low_freq_factor": 1, "high_freq_factor": 4}"#,
        ] {
            assert_eq!(of(json), own, "{json}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (json, named) in [
            (r#"{"rope_type": "longrope"}"#, "longrope"),
            (r#"{"rope_type": "dynamic", "factor": 2.0}"#, "dynamic"),
            (r#"{"rope_type": "linear"}"#, "factor"),
            (r#"{"rope_type": "linear", "factor": 0.0}"#, "factor"),
            (r#"{"partial_rotary_factor": 0.5}"#, "partial_rotary_factor"),
            (
                r#"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1}"#,
                "high_freq_factor",
            ),
        ] {
            assert!(of(json).is_err_and(|error| error.contains(named)), "{json}");
        }
    }
}
