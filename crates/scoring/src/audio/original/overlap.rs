use super::{
    super::turns::{SpeakerTurn, TimeSpan, finite, keep_long, merge_spans},
    OriginalAudioRules,
};
use crate::Result;

/// Cuts overlaps out of turns, one overlap after the other, as the system in the field does: a turn
/// that an overlap reaches into from behind ends where it starts, one that it reaches into from the
/// front starts where it ends, one that surrounds it becomes two, any other stays.
///
/// Known holes, kept: a turn inside an overlap ends before it starts, and one that shares a border
/// with an overlap stays whole where the tests for it are strict. O(overlaps · turns), and a turn
/// can become as many pieces as overlaps lie in it, plus one; [`crate::audio::subtract_overlap`]
/// does neither.
///
/// # Errors
/// [`crate::Error::NotFinite`].
pub fn remove_overlap(turns: &[SpeakerTurn], overlaps: &[TimeSpan]) -> Result<Vec<SpeakerTurn>> {
    finite(turns)?;
    finite(overlaps)?;
    let mut turns = turns.to_vec();
    for overlap in overlaps {
        let mut cut = Vec::with_capacity(turns.len() + 1);
        for mut turn in turns {
            let (start, end) = (turn.span.start_s, turn.span.end_s);
            if overlap.start_s < end && overlap.end_s > end {
                turn.span.end_s = overlap.start_s;
            } else if overlap.start_s < start && overlap.end_s > start {
                turn.span.start_s = overlap.end_s;
            } else if overlap.start_s > start && overlap.end_s < end {
                cut.push(SpeakerTurn::new(start, overlap.start_s, &turn.speaker));
                turn.span.start_s = overlap.end_s;
            }
            cut.push(turn);
        }
        turns = cut;
    }
    Ok(turns)
}

/// A diarization without the stretches in which several people speak: overlaps are merged, those
/// below 0.7 s forgiven, the others cut out by [`remove_overlap`].
///
/// # Errors
/// [`crate::Error::NotFinite`].
pub fn process_diarization(
    rules: &OriginalAudioRules,
    turns: &[SpeakerTurn],
    overlaps: &[TimeSpan],
) -> Result<Vec<SpeakerTurn>> {
    let overlaps = keep_long(&merge_spans(overlaps)?, rules.overlap_least_s);
    remove_overlap(turns, &overlaps)
}
