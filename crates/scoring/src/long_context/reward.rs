//! The weighted reward of one answer over a long context: memory, position, coherence, speed, scaling.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::within};

/// What a task tests, as far as the reward depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardTaskKind {
    /// Whether what was read is kept.
    MemoryRetention,
    /// Whether quality holds when the context grows.
    ScalingTest,
    /// Whether a pattern is recognised.
    PatternRecognition,
    /// Anything else.
    #[default]
    General,
}

impl RewardTaskKind {
    /// The kind of that name; [`RewardTaskKind::General`] for any other.
    pub fn named(name: &str) -> Self {
        match name {
            "memory_retention" => Self::MemoryRetention,
            "scaling_test" => Self::ScalingTest,
            "pattern_recognition" => Self::PatternRecognition,
            _ => Self::General,
        }
    }
}

/// The task that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardTask {
    /// What it tests.
    pub kind: RewardTaskKind,
    /// Length of its context, in tokens.
    pub context_tokens: u64,
    /// How many times longer the context is than that of the task it grew from.
    pub scale: f64,
}

/// A general task of 1,000 tokens that grew from none.
impl Default for RewardTask {
    fn default() -> Self {
        Self {
            kind: RewardTaskKind::General,
            context_tokens: 1_000,
            scale: 1.0,
        }
    }
}

/// A number that a miner reports about itself.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedMetric {
    /// It says nothing, which counts as 0.
    #[default]
    Absent,
    /// It names the metric without a number: the field's formula fails, and the answer earns 0.
    Null,
    /// A number, of any size.
    Value(f64),
}

/// What a miner of the field reports about its own answer.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportedMetrics {
    /// Share of what it was to keep, 0 to 1.
    pub memory_retention: ReportedMetric,
    /// Whether it knows where things stood, 0 to 1.
    pub position_understanding: ReportedMetric,
    /// Coherence of its text, 0 to 1.
    pub coherence: ReportedMetric,
    /// Its speed.
    pub tokens_per_second: ReportedMetric,
    /// How well its quality held, 0 to 1.
    pub scaling_efficiency: ReportedMetric,
}

/// Constants of [`weighted_reward`], with the field's values as default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightedRewardRules {
    /// Weight of memory.
    pub memory_weight: f64,
    /// Weight of position.
    pub position_weight: f64,
    /// Weight of coherence.
    pub coherence_weight: f64,
    /// Weight of speed.
    pub speed_weight: f64,
    /// Weight of scaling.
    pub scaling_weight: f64,
    /// Retention above which it is squared; up to which it is halved.
    pub memory_threshold: f64,
    /// Factor of position, before it is cut at 1.
    pub position_boost: f64,
    /// Tokens at which coherence would lose everything.
    pub coherence_horizon: f64,
    /// What coherence keeps at least.
    pub coherence_floor: f64,
    /// Tokens per second that earn full marks for speed.
    pub full_speed: f64,
    /// What the logarithm of the scale adds to the factor of scaling.
    pub scaling_boost: f64,
    /// Factor for a memory task whose retention is above 0.95.
    pub memory_bonus: f64,
    /// Factor for a scaling test whose efficiency is above 0.9.
    pub scaling_bonus: f64,
    /// Factor for a pattern task whose coherence is above 0.9.
    pub pattern_bonus: f64,
}

impl Default for WeightedRewardRules {
    fn default() -> Self {
        Self {
            memory_weight: 0.35,
            position_weight: 0.25,
            coherence_weight: 0.20,
            speed_weight: 0.10,
            scaling_weight: 0.10,
            memory_threshold: 0.8,
            position_boost: 1.2,
            coherence_horizon: 100_000.0,
            coherence_floor: 0.8,
            full_speed: 1_000.0,
            scaling_boost: 0.1,
            memory_bonus: 1.10,
            scaling_bonus: 1.15,
            pattern_bonus: 1.05,
        }
    }
}

impl WeightedRewardRules {
    fn constants(&self) -> [(&'static str, f64); 14] {
        [
            ("memory_weight", self.memory_weight),
            ("position_weight", self.position_weight),
            ("coherence_weight", self.coherence_weight),
            ("speed_weight", self.speed_weight),
            ("scaling_weight", self.scaling_weight),
            ("memory_threshold", self.memory_threshold),
            ("position_boost", self.position_boost),
            ("coherence_horizon", self.coherence_horizon),
            ("coherence_floor", self.coherence_floor),
            ("full_speed", self.full_speed),
            ("scaling_boost", self.scaling_boost),
            ("memory_bonus", self.memory_bonus),
            ("scaling_bonus", self.scaling_bonus),
            ("pattern_bonus", self.pattern_bonus),
        ]
    }

    /// Checks that every constant lies in 0 to 10⁹, that what is divided by is not 0, and that the
    /// five weights sum to 1 ([`check_component_weights`]).
    ///
    /// # Errors
    /// [`Error::Constant`] names the first that is at fault.
    pub fn validate(&self) -> Result<()> {
        for (name, value) in self.constants() {
            let divides = matches!(name, "coherence_horizon" | "full_speed");
            let least = if divides { 1e-9 } else { 0.0 };
            within(name, value, least, 1e9)?;
        }
        check_component_weights(&[
            self.memory_weight,
            self.position_weight,
            self.coherence_weight,
            self.speed_weight,
            self.scaling_weight,
        ])
    }
}

/// Checks weights of the components of a score: none negative, and a sum within 0.01 of 1.
///
/// # Errors
/// [`Error::Constant`] for a weight or for their sum.
pub fn check_component_weights(weights: &[f64]) -> Result<()> {
    for weight in weights {
        if !(0.0..=f64::MAX).contains(weight) {
            return Err(Error::Constant {
                name: "weight of a component",
                value: *weight,
                least: 0.0,
                most: 1.0,
            });
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum.is_nan() || (sum - 1.0).abs() > 0.01 {
        return Err(Error::Constant {
            name: "sum of the components' weights",
            value: sum,
            least: 0.99,
            most: 1.01,
        });
    }
    Ok(())
}

/// What memory retention earns in the field: its square above the threshold (0.8), half of it up to
/// there. A step from 0.40 to 0.64, and never more than the retention itself.
pub fn stepped_memory(retention: f64, threshold: f64) -> f64 {
    if retention > threshold {
        retention * retention
    } else {
        0.5 * retention
    }
}

/// The reward of the system in the field, 0 to 1, from what miners report about themselves.
///
/// ```text
/// memory    = M² if M > 0.8 else M / 2                       weight 0.35
/// position  = min(1, 1.2 · P)                                weight 0.25
/// coherence = C · max(0.8, 1 − tokens / 100,000)             weight 0.20
/// speed     = min(1, tokens per second / 1,000)              weight 0.10
/// scaling   = min(1, S · (1 + 0.1 · ln scale)) if scale > 1 else S     weight 0.10
/// ```
///
/// The sum is multiplied by 1.10 for a memory task with M > 0.95, by 1.15 for a scaling test with
/// S > 0.9, by 1.05 for a pattern task with C > 0.9, and cut to 0 to 1. No answer, or a metric without
/// a number, earns 0. Nothing is compared with an expected answer and no metric is bounded: M = 10
/// earns everything, which is why [`super::judge`] does not use this.
///
/// # Errors
/// [`Error::NotFinite`] for a metric or a scale that is NaN or infinite.
pub fn weighted_reward(
    rules: &WeightedRewardRules,
    task: &RewardTask,
    metrics: Option<&ReportedMetrics>,
) -> Result<f64> {
    let Some(metrics) = metrics else {
        return Ok(0.0);
    };
    let reported = [
        metrics.memory_retention,
        metrics.position_understanding,
        metrics.coherence,
        metrics.tokens_per_second,
        metrics.scaling_efficiency,
    ];
    let mut values = [0.0; 5];
    for (value, reported) in values.iter_mut().zip(reported) {
        match reported {
            ReportedMetric::Absent => {}
            ReportedMetric::Null => return Ok(0.0),
            ReportedMetric::Value(number) if number.is_finite() => *value = number,
            ReportedMetric::Value(_) => return Err(Error::NotFinite { what: "a metric" }),
        }
    }
    if !task.scale.is_finite() {
        return Err(Error::NotFinite { what: "the scale" });
    }
    let [memory, position, coherence, speed, scaling] = values;
    let kept = 1.0 - task.context_tokens as f64 / rules.coherence_horizon;
    let scaled = if task.scale > 1.0 {
        scaling * (1.0 + rules.scaling_boost * task.scale.ln())
    } else {
        scaling
    };
    let total = stepped_memory(memory, rules.memory_threshold) * rules.memory_weight
        + (rules.position_boost * position).min(1.0) * rules.position_weight
        + coherence * kept.max(rules.coherence_floor) * rules.coherence_weight
        + (speed / rules.full_speed).min(1.0) * rules.speed_weight
        + scaled.min(1.0) * rules.scaling_weight;
    let bonus = match task.kind {
        RewardTaskKind::MemoryRetention if memory > 0.95 => rules.memory_bonus,
        RewardTaskKind::ScalingTest if scaling > 0.90 => rules.scaling_bonus,
        RewardTaskKind::PatternRecognition if coherence > 0.90 => rules.pattern_bonus,
        _ => 1.0,
    };
    // Numbers near the largest can make `inf − inf` of the sum.
    let total = total * bonus;
    Ok(if total.is_nan() {
        0.0
    } else {
        total.clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_null_costs_everything_and_what_is_absent_only_itself() {
        let rules = WeightedRewardRules::default();
        rules.validate().unwrap();
        let mut metrics = ReportedMetrics {
            memory_retention: ReportedMetric::Value(10.0),
            ..ReportedMetrics::default()
        };
        let task = RewardTask::default();
        let reward =
            |metrics: Option<&ReportedMetrics>| weighted_reward(&rules, &task, metrics).unwrap();
        assert_eq!(reward(Some(&metrics)), 1.0, "the field believes 10");
        metrics.coherence = ReportedMetric::Null;
        assert_eq!(reward(Some(&metrics)), 0.0);
        assert_eq!(reward(None), 0.0);
        metrics.coherence = ReportedMetric::Value(f64::NAN);
        assert!(weighted_reward(&rules, &task, Some(&metrics)).is_err());
    }

    #[test]
    fn weights_must_sum_to_one() {
        check_component_weights(&[0.5, 0.495]).unwrap();
        assert!(check_component_weights(&[]).is_err());
        assert!(check_component_weights(&[1.2, -0.2]).is_err());
        assert!(check_component_weights(&[f64::NAN, 1.0]).is_err());
    }
}
