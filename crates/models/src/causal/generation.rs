use std::ops::ControlFlow;

use rand::Rng;

use super::{CausalModel, CausalSession, TokenSampling};
use crate::{Error, Result};

/// How a text is continued.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationOptions {
    /// Most tokens that are generated, at least 1.
    pub most_tokens: usize,
    /// How each is chosen.
    pub sampling: TokenSampling,
    /// Tokens that end the text besides [`CausalModel::ends`].
    pub stops: Vec<u32>,
    /// Whether [`CausalModel::ends`] do not end it: all `most_tokens` are generated, unless one of
    /// `stops` comes.
    pub ignore_ends: bool,
}

impl Default for GenerationOptions {
    /// 256 tokens at most, greedily.
    fn default() -> Self {
        Self {
            most_tokens: 256,
            sampling: TokenSampling::GREEDY,
            stops: Vec::new(),
            ignore_ends: false,
        }
    }
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The tokens, without the prompt; the one that ended the text is the last of them.
    pub tokens: Vec<u32>,
    /// Why there are no more.
    pub end: GenerationEnd,
}

/// Why a generated text has no more tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerationEnd {
    /// The last token ends texts.
    Stop,
    /// There are as many tokens as were asked for.
    Length,
    /// The model's context is full.
    Context,
    /// Whoever looked at the tokens wanted no more.
    Cancelled,
}

impl CausalModel {
    /// Continues a prompt. The same prompt, options and state of `rng` give the same tokens.
    ///
    /// # Errors
    /// As [`Self::generate_in`].
    pub fn generate(
        &self,
        prompt: &[u32],
        options: &GenerationOptions,
        rng: &mut impl Rng,
    ) -> Result<Generation> {
        let mut session = self.session();
        self.generate_in(&mut session, prompt, options, rng, |_| {
            ControlFlow::Continue(())
        })
    }

    /// Appends a prompt to a text and continues it, showing each token to `look` as soon as it is chosen;
    /// `look` may break off. The session then holds all tokens but the last generated one.
    ///
    /// # Errors
    /// As [`Self::prefill`] for the prompt; [`Error::Input`] for options out of range, no tokens to
    /// generate, or a network whose logits are not finite.
    pub fn generate_in(
        &self,
        session: &mut CausalSession,
        prompt: &[u32],
        options: &GenerationOptions,
        rng: &mut impl Rng,
        mut look: impl FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Generation> {
        options.sampling.check()?;
        if options.most_tokens == 0 {
            return Err(Error::Input {
                reason: "no tokens to generate".to_owned(),
            });
        }
        let mut logits = self.prefill(session, prompt)?;
        let mut tokens = Vec::new();
        let end = loop {
            let token = options.sampling.choose(&logits, rng)?;
            tokens.push(token);
            let ends = !options.ignore_ends && self.ends.contains(&token);
            if look(token).is_break() {
                break GenerationEnd::Cancelled;
            }
            if ends || options.stops.contains(&token) {
                break GenerationEnd::Stop;
            }
            if tokens.len() >= options.most_tokens {
                break GenerationEnd::Length;
            }
            if session.len() >= self.context {
                break GenerationEnd::Context;
            }
            logits = self.step(session, token)?;
        };
        Ok(Generation { tokens, end })
    }
}
