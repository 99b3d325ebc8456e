//! Judging an answer of clips of which some were fetched and compared: what every hardened policy of
//! clips does, whatever a clip shows or sounds.

use adit_primitives::Score;

use super::{
    AnswerRefusal, ClipDefect, ClipRefusal, PairCosine, Standing,
    footage::{Footage, Likeness, Newness},
    judge::unit,
};

/// What fetching a clip's source showed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetched {
    NotSampled,
    Compared,
    OriginUnreachable { attempts: u32 },
    SourceInvalid,
    OwnFailure { attempts: u32 },
}

/// A clip of an answer.
pub(crate) trait SampledClip {
    fn fetched(&self) -> Fetched;
    fn footage(&self) -> Footage<'_>;
    fn defect(&self) -> Option<ClipDefect>;
    fn source_duration_ms(&self) -> Option<u64>;
}

/// The constants that policies of clips share.
pub(crate) struct ClipRules {
    pub(crate) shortest_clip_ms: u64,
    pub(crate) longest_clip_ms: u64,
    pub(crate) source_slack_ms: u64,
    pub(crate) origin_attempts: u32,
    pub(crate) own_attempts: u32,
    pub(crate) newness: Newness,
}

/// A policy of clips.
pub(crate) trait ClipPolicy {
    type Clip: SampledClip;
    type Measures: Clone;

    fn rules(&self) -> ClipRules;

    /// Why what was fetched of this clip, or what it says, condemns the whole answer.
    fn condemns(&self, clip: &Self::Clip) -> Option<AnswerRefusal>;

    /// What is wrong with a clip of good length, without looking at what it shows.
    fn form(&self, clip: &Self::Clip) -> Option<ClipRefusal>;

    /// What a clip is worth that was verified and is new.
    fn measure(&self, clip: &Self::Clip, novelty: f64) -> Result<Self::Measures, ClipRefusal>;

    /// What it earns, 0 to 1, before division by the clips wanted.
    fn score(measures: &Self::Measures) -> f64;
}

/// What a policy finds; the verdict is made of it in one place so that it always keeps its promises.
pub(crate) struct Judged<M> {
    pub(crate) refusal: Option<AnswerRefusal>,
    pub(crate) pending: bool,
    /// One per clip of the evidence, in its order.
    pub(crate) clips: Vec<Result<M, ClipRefusal>>,
    pub(crate) score: f64,
}

impl<M> Judged<M> {
    pub(crate) fn refused(refusal: AnswerRefusal) -> Self {
        Self {
            refusal: Some(refusal),
            pending: false,
            clips: Vec::new(),
            score: 0.0,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        if self.pending && self.refusal.is_none() {
            Standing::Pending
        } else {
            Standing::Final
        }
    }

    /// The answer's score: none while anything is refused or open.
    pub(crate) fn held_score(&self) -> Score {
        let stands = self.refusal.is_none() && !self.pending;
        let score = if stands { unit(self.score) } else { 0.0 };
        Score::new(score).unwrap_or(Score::ZERO)
    }

    /// One outcome for each of `count` clips: none is accepted while the answer does not stand.
    pub(crate) fn into_clips(self, count: usize) -> impl Iterator<Item = Result<M, ClipRefusal>> {
        let refused = self.refusal.is_some();
        let open = self.pending;
        let unknown = (self.clips.len()..count).map(|_| Err(ClipRefusal::AnswerRefused));
        let clips = self.clips.into_iter().take(count);
        clips.chain(unknown).map(move |judged| match judged {
            Ok(_) if refused => Err(ClipRefusal::AnswerRefused),
            Ok(_) if open => Err(ClipRefusal::NotVouched),
            judged => judged,
        })
    }
}

/// What refuses an answer under every policy, before any is asked.
pub(crate) fn early_refusal<C: SampledClip>(
    clips: &[C],
    answered_within_deadline: bool,
    within_answer: &[PairCosine],
    is_finite: impl Fn(&C) -> bool,
) -> Option<AnswerRefusal> {
    if !answered_within_deadline {
        return Some(AnswerRefusal::Late);
    }
    if clips.is_empty() {
        return Some(AnswerRefusal::Empty);
    }
    let mut places: Vec<u32> = clips.iter().map(|clip| clip.footage().place).collect();
    places.sort_unstable();
    if let Some(pair) = places.windows(2).find(|pair| pair[0] == pair[1]) {
        return Some(AnswerRefusal::Ambiguous { place: pair[0] });
    }
    let finite =
        within_answer.iter().all(|pair| pair.cosine.is_finite()) && clips.iter().all(is_finite);
    (!finite).then_some(AnswerRefusal::NotFinite)
}

/// Judges an answer's clips in the order of their places.
pub(crate) fn judge_clips<P: ClipPolicy>(
    policy: &P,
    clips: &[P::Clip],
    wanted: u32,
    within_answer: &[PairCosine],
) -> Judged<P::Measures> {
    let rules = policy.rules();
    // What a fetched clip showed counts even when the clip itself is refused for its form.
    let condemned = |clip: &P::Clip| condemns(&rules, clip).or_else(|| policy.condemns(clip));
    if let Some(refusal) = clips.iter().find_map(condemned) {
        return Judged::refused(refusal);
    }
    let form = |clip: &P::Clip| form(&rules, wanted, clip).or_else(|| policy.form(clip));
    let sampled = || {
        clips
            .iter()
            .filter(|clip| clip.fetched() != Fetched::NotSampled)
    };
    let nobody = sampled().next().is_none();
    let vouched = !nobody && sampled().all(|clip| clip.fetched() == Fetched::Compared);
    // A plan always has at least one clip, so that an answer nobody sampled is one not yet verified.
    let mut pending = sampled().any(|clip| retriable(&rules, clip))
        || nobody && clips.iter().any(|clip| form(clip).is_none());

    let likeness = Likeness::new(within_answer);
    let mut order: Vec<(usize, &P::Clip)> = clips.iter().enumerate().collect();
    order.sort_by_key(|(_, clip)| clip.footage().place);
    let mut accepted: Vec<Footage<'_>> = Vec::new();
    let mut judged = vec![Err(ClipRefusal::AnswerRefused); clips.len()];
    let mut sum = 0.0;
    for (index, clip) in order {
        let outcome = match form(clip) {
            Some(refusal) => Err(refusal),
            None => verified(clip, vouched)
                .and_then(|()| rules.newness.judge(clip.footage(), &accepted, &likeness))
                .and_then(|novelty| policy.measure(clip, novelty)),
        };
        match &outcome {
            Ok(measures) => {
                accepted.push(clip.footage());
                sum += P::score(measures);
            }
            Err(refusal) => pending |= *refusal == ClipRefusal::OwnFailure,
        }
        if let Some(slot) = judged.get_mut(index) {
            *slot = outcome;
        }
    }
    Judged {
        refusal: None,
        pending,
        clips: judged,
        score: sum / f64::from(wanted.max(1)),
    }
}

fn condemns(rules: &ClipRules, clip: &impl SampledClip) -> Option<AnswerRefusal> {
    let place = clip.footage().place;
    match clip.fetched() {
        Fetched::SourceInvalid => Some(AnswerRefusal::SourceInvalid { place }),
        Fetched::OwnFailure { attempts } if attempts >= rules.own_attempts => {
            Some(AnswerRefusal::CrashesVerification { place })
        }
        Fetched::NotSampled
        | Fetched::Compared
        | Fetched::OriginUnreachable { .. }
        | Fetched::OwnFailure { .. } => None,
    }
}

fn form(rules: &ClipRules, wanted: u32, clip: &impl SampledClip) -> Option<ClipRefusal> {
    let footage = clip.footage();
    if footage.place >= wanted {
        return Some(ClipRefusal::BeyondWanted);
    }
    if let Some(defect) = clip.defect() {
        return Some(ClipRefusal::Defect { defect });
    }
    let length = footage.end_ms.saturating_sub(footage.start_ms);
    let source = clip.source_duration_ms().unwrap_or(u64::MAX);
    if length == 0 {
        Some(ClipRefusal::BadInterval)
    } else if length < rules.shortest_clip_ms {
        Some(ClipRefusal::TooShort)
    } else if length > rules.longest_clip_ms {
        Some(ClipRefusal::TooLong)
    } else if footage.end_ms > source.saturating_add(rules.source_slack_ms) {
        Some(ClipRefusal::BeyondSource)
    } else {
        None
    }
}

fn retriable(rules: &ClipRules, clip: &impl SampledClip) -> bool {
    match clip.fetched() {
        Fetched::OriginUnreachable { attempts } => attempts < rules.origin_attempts,
        Fetched::OwnFailure { .. } => true,
        Fetched::NotSampled | Fetched::Compared | Fetched::SourceInvalid => false,
    }
}

fn verified(clip: &impl SampledClip, vouched: bool) -> Result<(), ClipRefusal> {
    match clip.fetched() {
        Fetched::Compared => Ok(()),
        Fetched::NotSampled if vouched => Ok(()),
        Fetched::NotSampled | Fetched::SourceInvalid => Err(ClipRefusal::NotVouched),
        Fetched::OriginUnreachable { .. } => Err(ClipRefusal::OriginUnreachable),
        Fetched::OwnFailure { .. } => Err(ClipRefusal::OwnFailure),
    }
}
