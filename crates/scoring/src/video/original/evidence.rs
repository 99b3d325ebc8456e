use std::collections::HashMap;

use super::{
    super::{
        AnswerEvidence, AnswerRefusal, ClipEvidence, ClipRefusal, SoundComparison, Verification,
        judge::Measures, sampled::Judged,
    },
    OriginalRules, length_multiplier,
};

/// The original's steps on our evidence. Evidence reaches it finite and with distinct places.
pub(in crate::video) fn judge_evidence(
    rules: &OriginalRules,
    evidence: &AnswerEvidence,
) -> Judged<Measures> {
    for clip in &evidence.clips {
        if let Some(refusal) = condemns(rules, clip) {
            return Judged::refused(refusal);
        }
    }
    let mut clips: Vec<Result<Measures, ClipRefusal>> = evidence
        .clips
        .iter()
        .map(|clip| form(rules, evidence.clips_wanted, clip))
        .collect();

    // The last copy survives: only later clips of allowed form are compared.
    let mut cosines: HashMap<(u32, u32), f64> = HashMap::new();
    for pair in &evidence.within_answer {
        let key = (pair.first.min(pair.second), pair.first.max(pair.second));
        cosines.insert(key, pair.cosine);
    }
    let formed: Vec<&ClipEvidence> = evidence
        .clips
        .iter()
        .zip(&clips)
        .filter_map(|(clip, form)| form.is_ok().then_some(clip))
        .collect();
    let mut sum = 0.0;
    for (clip, judged) in evidence.clips.iter().zip(&mut clips) {
        if judged.is_err() {
            continue;
        }
        let later = formed.iter().filter(|other| other.place > clip.place);
        let nearest = later
            .filter_map(|other| cosines.get(&(clip.place, other.place)).copied())
            .reduce(f64::max);
        *judged = relevance(rules, clip, nearest);
        if let Ok(measures) = judged {
            sum += measures.score;
        }
    }
    let score = sum / f64::from(evidence.clips_wanted.max(1));
    Judged {
        refusal: None,
        pending: false,
        clips,
        score: score.max(rules.least_score),
    }
}

fn condemns(rules: &OriginalRules, clip: &ClipEvidence) -> Option<AnswerRefusal> {
    let place = clip.place;
    match &clip.verification {
        Verification::Compared { video, sound } => {
            let sound = match sound {
                SoundComparison::Compared { cosine } => *cosine > rules.similar_above,
                SoundComparison::Absent | SoundComparison::Invented | SoundComparison::Withheld => {
                    true
                }
            };
            let text = clip
                .text_similarity
                .is_none_or(|cosine| cosine > rules.similar_above);
            let matches = *video > rules.similar_above && sound && text;
            (!matches).then_some(AnswerRefusal::Mismatch { place })
        }
        Verification::SourceInvalid { .. } => Some(AnswerRefusal::SourceInvalid { place }),
        // What cannot be fetched falls back to its description: a known hole.
        Verification::NotSampled
        | Verification::OriginUnreachable { .. }
        | Verification::OwnFailure { .. } => None,
    }
}

fn form(rules: &OriginalRules, wanted: u32, clip: &ClipEvidence) -> Result<Measures, ClipRefusal> {
    if clip.place >= wanted {
        return Err(ClipRefusal::BeyondWanted);
    }
    if let Some(defect) = clip.defect {
        return Err(ClipRefusal::Defect { defect });
    }
    let milliseconds = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
    match clip.end_ms.checked_sub(clip.start_ms) {
        None => Err(ClipRefusal::BadInterval),
        Some(length) if length < milliseconds(rules.shortest_clip_s) => Err(ClipRefusal::TooShort),
        Some(length) if length > milliseconds(rules.longest_clip_s) => Err(ClipRefusal::TooLong),
        Some(_) => Ok(Measures::default()),
    }
}

fn relevance(
    rules: &OriginalRules,
    clip: &ClipEvidence,
    nearest_later: Option<f64>,
) -> Result<Measures, ClipRefusal> {
    if nearest_later.is_some_and(|cosine| cosine > rules.similar_above) {
        return Err(ClipRefusal::DuplicateInAnswer);
    }
    let local = 1.0 - nearest_later.unwrap_or(0.0);
    if local < rules.novelty_least {
        return Err(ClipRefusal::DuplicateInAnswer);
    }
    let novelty = local.min(clip.global_novelty.ok_or(ClipRefusal::OwnFailure)?);
    if novelty < rules.novelty_least {
        return Err(ClipRefusal::DuplicateInDataset);
    }
    let joint = clip.joint.unwrap_or_default();
    let length = length_multiplier(rules, clip.description.distinct_words);
    let description = length.multiplier
        * (rules.video_share * joint.video_description
            + (1.0 - rules.video_share) * joint.audio_description);
    let text = clip
        .query_relevance
        .unwrap_or(0.0)
        .powi(2)
        .min(rules.text_relevance_most);
    let query = (joint.video_query + joint.audio_query + text) / 3.0;
    Ok(Measures {
        relevance: query,
        novelty,
        detail: length.scaler,
        score: (rules.description_factor * description + rules.query_factor * query) / 2.0,
    })
}
