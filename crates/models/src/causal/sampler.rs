use rand::Rng;

use crate::{Error, Result};

/// How the next token is chosen from the logits.
///
/// The default is greedy: the likeliest, the first of several. With a temperature, a token is drawn:
/// the logits are divided by it, the `top_k` largest are kept, then the fewest likeliest whose
/// probabilities reach `top_p`, in this order, as `transformers` does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TokenSampling {
    /// 0 is greedy; at most 100.
    pub temperature: f32,
    /// How many of the likeliest tokens may be drawn; all where it is `None`. At least 1.
    pub top_k: Option<usize>,
    /// The probability that those who may be drawn reach together; above 0, at most 1.
    pub top_p: Option<f32>,
}

impl TokenSampling {
    /// The likeliest token, always.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_k: None,
        top_p: None,
    };

    /// Chooses a token by its logits, one for each token of the vocabulary. Equal logits and an equal
    /// state of `rng` choose the same.
    ///
    /// # Errors
    /// [`Error::Input`] for options out of range, no logits, or logits that are not finite.
    pub fn choose(&self, logits: &[f32], rng: &mut impl Rng) -> Result<u32> {
        self.check()?;
        let refuse = |reason: String| Error::Input { reason };
        if let Some(index) = logits.iter().position(|logit| !logit.is_finite()) {
            return Err(refuse(format!("logits of which {index} is not finite")));
        }
        let Some(likeliest) = likeliest(logits) else {
            return Err(refuse("no logits".to_owned()));
        };
        if self.temperature == 0.0 {
            return Ok(likeliest as u32);
        }
        let top = logits.get(likeliest).copied().unwrap_or_default();
        let weight = |logit: f32| f64::from((logit - top) / self.temperature).exp();
        let mut drawable: Vec<(usize, f64)> = logits
            .iter()
            .enumerate()
            .map(|(token, logit)| (token, weight(*logit)))
            .collect();
        // The likeliest first, equal ones by their number.
        let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if let Some(most) = self.top_k.filter(|most| *most < drawable.len()) {
            drawable.select_nth_unstable_by(most - 1, order);
            drawable.truncate(most);
        }
        if let Some(reach) = self.top_p {
            drawable.sort_unstable_by(order);
            let goal = f64::from(reach) * sum(&drawable);
            let mut reached = 0.0;
            let enough = drawable.iter().position(|(_, weight)| {
                reached += weight;
                reached >= goal
            });
            drawable.truncate(enough.map_or(drawable.len(), |last| last + 1));
        }
        // So that the draw depends on the logits alone, not on how the largest were found.
        drawable.sort_unstable_by_key(|(token, _)| *token);
        let mut left = rng.random::<f64>() * sum(&drawable);
        let drawn = drawable.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        Ok(drawn.map_or(likeliest, |(token, _)| *token) as u32)
    }

    pub(super) fn check(&self) -> Result<()> {
        let fault = if !(0.0..=100.0).contains(&self.temperature) {
            format!("a temperature of {}, not 0 to 100", self.temperature)
        } else if self.top_k == Some(0) {
            "a top_k of 0".to_owned()
        } else if let Some(reach) = self.top_p.filter(|reach| !(*reach > 0.0 && *reach <= 1.0)) {
            format!("a top_p of {reach}, not above 0 and up to 1")
        } else {
            return Ok(());
        };
        Err(Error::Input { reason: fault })
    }
}

fn sum(drawable: &[(usize, f64)]) -> f64 {
    drawable.iter().map(|(_, weight)| weight).sum()
}

/// The place of the largest logit, the first of several.
pub(super) fn likeliest(logits: &[f32]) -> Option<usize> {
    let all = logits.iter().enumerate();
    all.rev()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(place, _)| place)
}
