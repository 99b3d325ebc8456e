use serde::{Deserialize, Serialize};

use super::{BoringPolicy, LineVectors, coherence, engagement, fluency, novelty, relevance};
use crate::{Error, Result, rules::within};

/// The five components, each 0 to 1, computed here or measured elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoringComponents {
    /// Staying with the topic.
    pub relevance: f64,
    /// Everybody taking part.
    pub engagement: f64,
    /// Lines unlike those before.
    pub novelty: f64,
    /// Each line following from the one before.
    pub coherence: f64,
    /// Speech without defects.
    pub fluency: f64,
}

impl BoringComponents {
    /// Measures a conversation: who speaks each line, its text, its embedding, and the embeddings of
    /// tags that are known to describe the conversation, where there are any.
    ///
    /// # Errors
    /// [`Error::Count`] unless the three lists have the same length, [`Error::Empty`] below two lines,
    /// [`Error::Length`] for tags of another length.
    pub fn measure<S: Ord, L: AsRef<str>>(
        policy: &BoringPolicy,
        speakers: &[S],
        texts: &[L],
        vectors: &LineVectors,
        tags: Option<&LineVectors>,
    ) -> Result<Self> {
        for (what, found) in [
            ("the list of texts", texts.len()),
            ("the list of embeddings", vectors.len()),
        ] {
            if found != speakers.len() {
                return Err(Error::Count {
                    what,
                    expected: speakers.len(),
                    found,
                });
            }
        }
        Ok(Self {
            relevance: relevance(vectors, tags)?,
            engagement: engagement(speakers),
            novelty: novelty(vectors, policy.look_back)?,
            coherence: coherence(vectors)?,
            fluency: fluency(texts, &policy.fluency),
        })
    }

    fn parts(&self) -> [(&'static str, f64); 5] {
        [
            ("relevance", self.relevance),
            ("engagement", self.engagement),
            ("novelty", self.novelty),
            ("coherence", self.coherence),
            ("fluency", self.fluency),
        ]
    }
}

/// The index of a conversation, and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoringReport {
    /// The components, before the floor.
    pub components: BoringComponents,
    /// Lines of the conversation.
    pub lines: usize,
    /// `Π max(component, floor)^weight`, 0 to 1.
    pub interest: f64,
    /// `100 · (1 − interest)`, 0 to 100; high is boring.
    pub index: f64,
}

/// The Boring Index of a conversation of `lines` lines; nothing below the policy's fewest lines.
///
/// ```
/// use adit_scoring::conversation::boring::{
///     BoringComponents, BoringPolicy, LineVectors, boring_index,
/// };
///
/// let policy = BoringPolicy::default();
/// let vectors = LineVectors::new(&[[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])?;
/// let lines = ["We went to the lake.", "Was it cold there?", "Cold enough to skate."];
/// let components = BoringComponents::measure(&policy, &["a", "b", "a"], &lines, &vectors, None)?;
/// let lively = boring_index(&policy, components, 3)?.unwrap();
///
/// let one_voice = BoringComponents { engagement: 0.0, ..components };
/// let dull = boring_index(&policy, one_voice, 3)?.unwrap();
/// assert!(lively.index < dull.index && dull.index <= 100.0);
/// assert!(boring_index(&policy, components, 2)?.is_none());
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::Constant`] for the policy, or for a component that is not in 0 to 1.
pub fn boring_index(
    policy: &BoringPolicy,
    components: BoringComponents,
    lines: usize,
) -> Result<Option<BoringReport>> {
    policy.validate()?;
    let mut log_interest = 0.0;
    for ((name, value), (_, weight)) in components.parts().into_iter().zip(policy.weights.parts()) {
        within(name, value, 0.0, 1.0)?;
        log_interest += weight * value.max(policy.floor).ln();
    }
    if lines < policy.lines_least {
        return Ok(None);
    }
    let interest = log_interest.exp().clamp(0.0, 1.0);
    Ok(Some(BoringReport {
        components,
        lines,
        interest,
        index: 100.0 * (1.0 - interest),
    }))
}
