use super::{
    super::gram::Measured,
    logistic::logistic,
    policy::QualityPolicy,
    signals::{Coherence, Coverage, SentenceSignals, Steps, covered, mean},
};
use crate::{
    Error, Result,
    inference::{TextStatistics, component::Component, discourse_markers, lexical::heaviest_terms},
};

/// Terms of a prompt without parts that an answer is searched for.
const MOST_KEYWORDS: usize = 10;

/// A prompt and its embeddings.
#[derive(Debug, Clone, Copy)]
pub struct QualityPrompt<'a, T, V> {
    /// The prompt.
    pub text: &'a str,
    /// Its embedding.
    pub embedding: &'a [T],
    /// Embeddings of its [`prompt_components`](crate::inference::prompt_components).
    pub components: &'a [V],
}

/// An answer and its embeddings.
#[derive(Debug, Clone, Copy)]
pub struct QualityAnswer<'a, T, V> {
    /// The answer.
    pub text: &'a str,
    /// Its embedding.
    pub embedding: &'a [T],
    /// Embeddings of its [`sentences`](crate::inference::sentences), in order.
    pub sentences: &'a [V],
}

/// The quality of an answer, and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerQuality {
    /// Quality, 0 to 1.
    pub quality: f64,
    /// `0.4 whole + 0.4 sentences + 0.2 coverage`, −1 to 1.
    pub relevance: f64,
    /// Cosine of the answer with the prompt.
    pub whole_relevance: f64,
    /// Mean cosine with the prompt of the better half of the sentences; of the answer when it has
    /// fewer than two.
    pub sentence_relevance: f64,
    /// Coherence, 0 to 1.
    pub coherence: f64,
    /// How the sentences hang together; nothing when there are fewer than two, and coherence is
    /// guessed from the text.
    pub sentence_coherence: Option<Coherence>,
    /// Share of the prompt's parts that the answer covers, 0 to 1. Of a prompt without parts, its
    /// relevance with the share of the prompt's ten heaviest terms
    /// ([`lexical_similarity`](crate::inference::lexical_similarity)) that the answer has for coverage,
    /// or with the cosine where there are none.
    pub coverage: f64,
    /// The parts.
    pub parts: Coverage,
    /// Complexity, 0 to 1.
    pub complexity: f64,
    /// Steps and novelty of an answer of two sentences or more that passes the gates of complexity.
    pub steps: Option<(Steps, f64)>,
    /// Density of content words, 0 to 1.
    pub density: f64,
    /// Specificity, 0 to 1.
    pub specificity: f64,
    /// Sentences judged.
    pub sentences: usize,
}

/// Judges answers to a prompt, in order.
///
/// `quality = clip(Σ weight · logistic(signal; midpoint, 8), 0, 1)` over relevance, coherence,
/// coverage, complexity, density and specificity:
///
/// - relevance and coverage: see [`AnswerQuality`] and [`coverage`](super::coverage);
/// - coherence: [`Coherence::combined`] of two sentences or more, else
///   [`TextStatistics::heuristic_coherence`];
/// - complexity: 0 unless relevance is at least 0.4 and coherence at least 0.3; then
///   `clip(0.6 steps + 0.4 novelty, 0, 1)` of two sentences or more, and `1 − exp(−1.3 · markers)` of a
///   single one;
/// - [`TextStatistics::density`] and [`TextStatistics::specificity`].
///
/// For an answer of s sentences to a prompt of p parts it takes at most s²/2 + s (p + 2) inner products.
///
/// # Errors
/// [`Error::Length`] for embeddings of different lengths, [`Error::NotFinite`] for a component that is
/// not finite, [`Error::Constant`] for the policy.
pub fn assess<T: Component, V: AsRef<[T]>>(
    policy: &QualityPolicy,
    prompt: &QualityPrompt<'_, T, V>,
    answers: &[QualityAnswer<'_, T, V>],
) -> Result<Vec<AnswerQuality>> {
    policy.validate()?;
    let embedding = Measured::new(prompt.embedding)?;
    let components = Measured::all(prompt.components)?;
    let keywords = if components.is_empty() {
        let answers = answers.iter().map(|answer| answer.text);
        let texts: Vec<&str> = std::iter::once(prompt.text).chain(answers).collect();
        heaviest_terms(&texts, MOST_KEYWORDS)
    } else {
        Vec::new()
    };
    let known = Known {
        prompt: embedding,
        components,
        keywords,
    };
    let each = answers.iter();
    each.map(|answer| assess_one(policy, &known, answer))
        .collect()
}

/// What is the same for all answers.
struct Known<'a, T> {
    prompt: Measured<'a, T>,
    components: Vec<Measured<'a, T>>,
    keywords: Vec<String>,
}

fn assess_one<T: Component, V: AsRef<[T]>>(
    policy: &QualityPolicy,
    known: &Known<'_, T>,
    answer: &QualityAnswer<'_, T, V>,
) -> Result<AnswerQuality> {
    let prompt = &known.prompt;
    let most = policy.most_sentences.unwrap_or(usize::MAX);
    let judged = answer.sentences.get(..most).unwrap_or(answer.sentences);
    let whole = Measured::new(answer.embedding)?;
    let sentences = Measured::all(judged)?;
    let several = sentences.len() >= 2;
    let statistics = TextStatistics::of(answer.text);

    let whole_relevance = prompt.cosine(&whole)?;
    let sentence_relevance = if several {
        better_half(prompt, &sentences)?
    } else {
        whole_relevance
    };
    let blend = |covered: f64| {
        policy.whole_relevance * whole_relevance
            + policy.sentence_relevance * sentence_relevance
            + policy.covered_relevance * covered
    };
    let parts = covered(policy, &known.components, &whole, &sentences)?;
    let coverage = if parts.total == 0 {
        blend(keyword_coverage(&known.keywords, answer.text).unwrap_or(whole_relevance))
    } else {
        parts.share()
    };
    let relevance = blend(coverage);

    let signals = if several {
        Some(SentenceSignals::of(&sentences)?)
    } else {
        None
    };
    let sentence_coherence = signals.as_ref().map(|signals| signals.coherence(policy));
    let coherence = match &sentence_coherence {
        Some(found) => found.combined(policy),
        None => statistics.heuristic_coherence(),
    };
    let worked_out =
        relevance >= policy.complex_from_relevance && coherence >= policy.complex_from_coherence;
    let steps = match &signals {
        Some(signals) if worked_out => Some((signals.steps(policy)?, signals.novelty())),
        _ => None,
    };
    let complexity = match steps {
        Some((steps, novelty)) => {
            (policy.steps_share * steps.score + policy.novelty_share * novelty).clamp(0.0, 1.0)
        }
        None if worked_out && sentences.len() == 1 => {
            let markers = discourse_markers(answer.text).len();
            1.0 - (-policy.marker_rate * markers as f64).exp()
        }
        None => 0.0,
    };
    let mut assessed = AnswerQuality {
        quality: 0.0,
        relevance,
        whole_relevance,
        sentence_relevance,
        coherence,
        sentence_coherence,
        coverage,
        parts,
        complexity,
        steps,
        density: statistics.density(),
        specificity: statistics.specificity(),
        sentences: sentences.len(),
    };
    if policy
        .least_relevance
        .is_none_or(|least| relevance >= least)
    {
        assessed.quality = combined(policy, &assessed);
    }
    Ok(assessed)
}

/// The share of keywords that occur in a text, within words too; nothing when there are none.
fn keyword_coverage(keywords: &[String], text: &str) -> Option<f64> {
    if keywords.is_empty() {
        return None;
    }
    let text = text.to_lowercase();
    let found = keywords
        .iter()
        .filter(|keyword| text.contains(keyword.as_str()));
    Some(found.count() as f64 / keywords.len() as f64)
}

fn combined(policy: &QualityPolicy, signals: &AnswerQuality) -> f64 {
    let (weights, midpoints) = (&policy.weights, &policy.midpoints);
    let soft = |signal: f64, midpoint: f64| logistic(signal, midpoint, policy.steepness);
    let sum = weights.relevance * soft(signals.relevance, midpoints.relevance)
        + weights.coherence * soft(signals.coherence, midpoints.coherence)
        + weights.coverage * soft(signals.coverage, midpoints.coverage)
        + weights.complexity * soft(signals.complexity, midpoints.complexity)
        + weights.density * soft(signals.density, midpoints.density)
        + weights.specificity * soft(signals.specificity, midpoints.specificity);
    sum.clamp(0.0, 1.0)
}

/// The mean cosine with the prompt of the half of the sentences that is nearest to it.
fn better_half<T: Component>(
    prompt: &Measured<'_, T>,
    sentences: &[Measured<'_, T>],
) -> Result<f64> {
    let mut cosines = sentences
        .iter()
        .map(|sentence| prompt.cosine(sentence))
        .collect::<Result<Vec<f64>>>()?;
    cosines.sort_by(|left, right| right.total_cmp(left));
    cosines.truncate((sentences.len() / 2).max(1));
    Ok(mean(cosines.into_iter()))
}

/// Quality where sentences cannot be embedded:
/// `0.4 relevance + 0.2 density + 0.2 specificity + 0.2 coherence`, the last three of the text alone.
/// `relevance` is the cosine of the answer with the prompt; 0.5 stands for an unknown one.
///
/// # Errors
/// [`Error::NotFinite`] for a relevance that is not finite, [`Error::Constant`] for the policy.
pub fn heuristic_quality(
    policy: &QualityPolicy,
    relevance: Option<f64>,
    text: &TextStatistics,
) -> Result<f64> {
    policy.validate()?;
    let relevance = relevance.unwrap_or(0.5);
    if !relevance.is_finite() {
        return Err(Error::NotFinite {
            what: "a relevance",
        });
    }
    if policy
        .least_relevance
        .is_some_and(|least| relevance < least)
    {
        return Ok(0.0);
    }
    let weights = &policy.weights;
    Ok(weights.relevance * relevance
        + weights.density * text.density()
        + weights.specificity * text.specificity()
        + weights.coherence * text.heuristic_coherence())
}
