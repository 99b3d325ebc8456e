//! Evidence of an honest answer, to be spoiled one field at a time.

use adit_scoring::video::{
    AnswerEvidence, AnswerVerdict, ClipEvidence, ClipRefusal, PairCosine, SoundComparison,
    Verification, VideoPolicy, judge, measure_description,
};

pub(crate) const DESCRIPTION: &str =
    "A rabbit wakes in a green meadow, stretches and looks at a butterfly above its burrow";

pub(crate) fn matched() -> Verification {
    Verification::Compared {
        video: 0.99,
        sound: SoundComparison::Compared { cosine: 0.98 },
    }
}

pub(crate) fn clip(place: u32) -> ClipEvidence {
    ClipEvidence {
        place,
        clip_id: format!("clip-{place}"),
        source: format!("https://origin.example/{place}.mp4"),
        start_ms: 1_000,
        end_ms: 6_000,
        source_duration_ms: Some(60_000),
        description: measure_description(DESCRIPTION, "rabbit"),
        defect: None,
        verification: if place == 0 {
            matched()
        } else {
            Verification::NotSampled
        },
        global_novelty: Some(0.9),
        nearest_in_task: None,
        query_relevance: Some(0.5),
        text_similarity: Some(1.0),
        joint: None,
    }
}

pub(crate) fn honest(clips: u32) -> AnswerEvidence {
    let pairs = (0..clips).flat_map(|first| (first + 1..clips).map(move |second| (first, second)));
    AnswerEvidence {
        clips_wanted: clips,
        answered_within_deadline: true,
        clips: (0..clips).map(clip).collect(),
        within_answer: pairs
            .map(|(first, second)| PairCosine {
                first,
                second,
                cosine: 0.3,
            })
            .collect(),
    }
}

pub(crate) fn hardened(evidence: &AnswerEvidence) -> AnswerVerdict {
    judge(&VideoPolicy::hardened(), evidence)
}

pub(crate) fn refusals(verdict: &AnswerVerdict) -> Vec<Option<ClipRefusal>> {
    verdict.clips.iter().map(|clip| clip.refusal).collect()
}

/// Spoils the clip at place 1 of an honest answer of four and returns why it was refused. The other
/// three must be accepted all the same.
pub(crate) fn spoiled(spoil: impl FnOnce(&mut ClipEvidence)) -> ClipRefusal {
    let mut evidence = honest(4);
    spoil(&mut evidence.clips[1]);
    let verdict = hardened(&evidence);
    assert_eq!(verdict.refusal, None);
    assert_eq!(verdict.accepted(), 3, "{verdict:?}");
    verdict.clips[1].refusal.unwrap()
}
