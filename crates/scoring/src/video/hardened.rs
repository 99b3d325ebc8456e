//! The rules of `video/hardened-1`. Evidence reaches them finite and with distinct places.

use super::{
    AnswerEvidence, AnswerRefusal, ClipEvidence, ClipRefusal, DescriptionMeasure, HardenedRules,
    SoundComparison, Verification,
    footage::{Footage, Likeness, Newness, ramp},
    judge::{Judged, Measures, unit},
};

pub(super) fn judge(rules: &HardenedRules, evidence: &AnswerEvidence) -> Judged {
    let form: Vec<Option<ClipRefusal>> = evidence
        .clips
        .iter()
        .map(|clip| form_refusal(rules, evidence.clips_wanted, clip))
        .collect();
    let well_formed = || {
        let pairs = evidence.clips.iter().zip(&form);
        pairs.filter_map(|(clip, refusal)| refusal.is_none().then_some(clip))
    };
    // What a fetched clip showed counts even when the clip itself is refused for its form.
    if let Some(refusal) = evidence
        .clips
        .iter()
        .find_map(|clip| answer_refusal(rules, clip))
    {
        return Judged::refused(refusal);
    }

    let sampled = || {
        let clips = evidence.clips.iter();
        clips.filter(|clip| clip.verification != Verification::NotSampled)
    };
    let vouched = sampled().next().is_some()
        && sampled().all(|clip| matches!(clip.verification, Verification::Compared { .. }));
    // A plan always has at least one clip, so that an answer nobody sampled is one not yet verified.
    let mut pending = (well_formed().next().is_some() && sampled().next().is_none())
        || sampled().any(|clip| retriable(rules, clip));

    let likeness = Likeness::new(&evidence.within_answer);
    let newness = Newness {
        duplicate_cosine: rules.duplicate_cosine,
        novel_cosine: rules.novel_cosine,
        overlap_most: rules.overlap_most,
    };
    let mut order: Vec<usize> = (0..evidence.clips.len()).collect();
    order.sort_by_key(|index| evidence.clips.get(*index).map(|clip| clip.place));
    let mut accepted: Vec<Footage<'_>> = Vec::new();
    let mut clips = vec![Err(ClipRefusal::AnswerRefused); evidence.clips.len()];
    let mut sum = 0.0;
    for index in order {
        let (Some(clip), Some(form), Some(judged)) = (
            evidence.clips.get(index),
            form.get(index),
            clips.get_mut(index),
        ) else {
            continue;
        };
        let outcome = match form {
            Some(refusal) => Err(*refusal),
            None => verified(clip, vouched)
                .and_then(|()| newness.judge(footage(clip), &accepted, &likeness))
                .and_then(|novelty| measure(rules, clip, novelty)),
        };
        match outcome {
            Ok(measures) => {
                accepted.push(footage(clip));
                sum += measures.score;
            }
            Err(ClipRefusal::OwnFailure) => pending = true,
            Err(_) => {}
        }
        *judged = outcome;
    }
    Judged {
        refusal: None,
        pending,
        clips,
        score: sum / f64::from(evidence.clips_wanted.max(1)),
    }
}

fn footage(clip: &ClipEvidence) -> Footage<'_> {
    Footage {
        place: clip.place,
        source: &clip.source,
        start_ms: clip.start_ms,
        end_ms: clip.end_ms,
        nearest_in_task: clip.nearest_in_task,
        global_novelty: clip.global_novelty,
    }
}

/// What is wrong with the clip itself, without looking at any footage.
fn form_refusal(rules: &HardenedRules, wanted: u32, clip: &ClipEvidence) -> Option<ClipRefusal> {
    if clip.place >= wanted {
        return Some(ClipRefusal::BeyondWanted);
    }
    if let Some(defect) = clip.defect {
        return Some(ClipRefusal::Defect { defect });
    }
    let Some(length) = clip
        .end_ms
        .checked_sub(clip.start_ms)
        .filter(|length| *length > 0)
    else {
        return Some(ClipRefusal::BadInterval);
    };
    if length < rules.shortest_clip_ms {
        return Some(ClipRefusal::TooShort);
    }
    if length > rules.longest_clip_ms {
        return Some(ClipRefusal::TooLong);
    }
    if let Some(source) = clip.source_duration_ms
        && clip.end_ms > source.saturating_add(rules.source_slack_ms)
    {
        return Some(ClipRefusal::BeyondSource);
    }
    description_refusal(rules, &clip.description)
}

fn description_refusal(rules: &HardenedRules, text: &DescriptionMeasure) -> Option<ClipRefusal> {
    if text.words == 0 {
        return Some(ClipRefusal::DescriptionEmpty);
    }
    if text.bytes > rules.description_bytes_most {
        return Some(ClipRefusal::DescriptionTooLong);
    }
    let share = |count: u32| f64::from(count) / f64::from(text.words);
    let stuffed = text.words >= rules.stuffing_words
        && (share(text.distinct_words) < rules.distinct_share_least
            || share(text.commonest_word) > rules.commonest_share_most);
    stuffed.then_some(ClipRefusal::DescriptionStuffed)
}

/// Whether this clip condemns the whole answer.
fn answer_refusal(rules: &HardenedRules, clip: &ClipEvidence) -> Option<AnswerRefusal> {
    let place = clip.place;
    match &clip.verification {
        Verification::Compared { video, sound } => {
            let sound = match sound {
                SoundComparison::Compared { cosine } => *cosine >= rules.sound_match,
                SoundComparison::Invented => false,
                SoundComparison::Absent | SoundComparison::Withheld => true,
            };
            if *video < rules.video_match || !sound {
                return Some(AnswerRefusal::Mismatch { place });
            }
        }
        Verification::SourceInvalid { .. } => return Some(AnswerRefusal::SourceInvalid { place }),
        Verification::OwnFailure { attempts } if *attempts >= rules.own_attempts => {
            return Some(AnswerRefusal::CrashesVerification { place });
        }
        Verification::NotSampled
        | Verification::OriginUnreachable { .. }
        | Verification::OwnFailure { .. } => {}
    }
    let lies = clip
        .text_similarity
        .is_some_and(|cosine| cosine < rules.text_match);
    lies.then_some(AnswerRefusal::TextMismatch { place })
}

fn retriable(rules: &HardenedRules, clip: &ClipEvidence) -> bool {
    match clip.verification {
        Verification::OriginUnreachable { attempts } => attempts < rules.origin_attempts,
        Verification::OwnFailure { .. } => true,
        Verification::NotSampled
        | Verification::Compared { .. }
        | Verification::SourceInvalid { .. } => false,
    }
}

fn verified(clip: &ClipEvidence, vouched: bool) -> Result<(), ClipRefusal> {
    match &clip.verification {
        Verification::Compared {
            sound: SoundComparison::Withheld,
            ..
        } => Err(ClipRefusal::SoundWithheld),
        Verification::Compared { .. } => Ok(()),
        Verification::NotSampled if vouched => Ok(()),
        Verification::NotSampled | Verification::SourceInvalid { .. } => {
            Err(ClipRefusal::NotVouched)
        }
        Verification::OriginUnreachable { .. } => Err(ClipRefusal::OriginUnreachable),
        Verification::OwnFailure { .. } => Err(ClipRefusal::OwnFailure),
    }
}

fn measure(
    rules: &HardenedRules,
    clip: &ClipEvidence,
    novelty: f64,
) -> Result<Measures, ClipRefusal> {
    if clip.text_similarity.is_none() {
        return Err(ClipRefusal::OwnFailure);
    }
    let cosine = clip.query_relevance.ok_or(ClipRefusal::OwnFailure)?;
    if cosine < rules.relevance_least {
        return Err(ClipRefusal::NotRelevant);
    }
    let relevance = ramp(cosine, rules.relevance_least, rules.relevance_full);
    let beyond = f64::from(clip.description.words_beyond_topic);
    let detail = unit(beyond.ln_1p() / f64::from(rules.detail_words_full.max(1)).ln_1p());
    let weights = rules.relevance_weight + rules.novelty_weight + rules.detail_weight;
    let weighted = rules.relevance_weight * relevance
        + rules.novelty_weight * novelty
        + rules.detail_weight * detail;
    Ok(Measures {
        relevance,
        novelty,
        detail,
        score: if weights > 0.0 {
            unit(weighted / weights)
        } else {
            0.0
        },
    })
}
