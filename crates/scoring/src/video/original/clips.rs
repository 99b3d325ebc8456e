use super::OriginalRules;

/// Whether an id counts as one of YouTube's: exactly eleven characters, of any kind.
pub fn is_valid_youtube_id(id: Option<&str>) -> bool {
    id.is_some_and(|id| id.chars().count() == 11)
}

/// Whether a clip from `start_s` to `end_s` (seconds) has an allowed length, 5 to 120 s inclusive.
pub fn keeps_length(rules: &OriginalRules, start_s: i64, end_s: i64) -> bool {
    let length = end_s.saturating_sub(start_s);
    (rules.shortest_clip_s..=rules.longest_clip_s).contains(&length)
}

/// Which clips, given as start and end in seconds, have an allowed length: their indices, ascending.
pub fn metadata_check(rules: &OriginalRules, clips: &[(i64, i64)]) -> Vec<usize> {
    let clips = clips.iter().enumerate();
    clips
        .filter(|(_, (start, end))| keeps_length(rules, *start, *end))
        .map(|(index, _)| index)
        .collect()
}
