/// Scores by uid after the metagraph changed: whoever holds the uid with the same hotkey as before
/// keeps the score, everyone else starts at 0. As long as `now`; `before` and `scores` may be
/// shorter or longer.
///
/// ```
/// use adit_scoring::weights::follow_hotkeys;
///
/// let scores = follow_hotkeys(&["a", "b"], &["a", "c", "d"], &[0.5, 0.7]);
/// assert_eq!(scores, [0.5, 0.0, 0.0]);
/// ```
pub fn follow_hotkeys<H: PartialEq>(before: &[H], now: &[H], scores: &[f64]) -> Vec<f64> {
    let mut followed = vec![0.0; now.len()];
    let held = before.iter().zip(now).zip(scores);
    for (slot, ((before, now), score)) in followed.iter_mut().zip(held) {
        if before == now {
            *slot = *score;
        }
    }
    followed
}

/// The same for the three kinds of scores of the video system in the field (video, focus, audio),
/// with its two defects, for replaying its rounds: a replaced hotkey keeps its audio score, and when
/// the subnet grows, focus and audio become copies of the video scores. [`follow_hotkeys`] on each
/// kind has neither.
pub fn follow_hotkeys_sharing_growth<H: PartialEq>(
    before: &[H],
    now: &[H],
    [video, focus, audio]: [&[f64]; 3],
) -> [Vec<f64>; 3] {
    let video = follow_hotkeys(before, now, video);
    if before.len() < now.len() {
        return [video.clone(), video.clone(), video];
    }
    let focus = follow_hotkeys(before, now, focus);
    [video, focus, audio.to_vec()]
}
