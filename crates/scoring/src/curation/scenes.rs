//! From a model's shot transitions to clips.

mod policy;

pub use policy::{LengthRounding, OverlongScene, SceneLengths, ScenePolicy};

use serde::{Deserialize, Serialize};

use super::{
    clip_id::ClipUuid,
    positive,
    spans::{FrameSpan, SecondsSpan, split_span},
};
use crate::Result;

/// A clip of a source: its name and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CutClip {
    /// Its name, made of the source and the bounds.
    pub id: ClipUuid,
    /// Where it lies in the source, in seconds.
    pub span: SecondsSpan,
}

/// Which frames belong to a transition: those whose probability is above the threshold. NaN is
/// not.
pub fn transitions(probabilities: &[f32], threshold: f32) -> Vec<bool> {
    let above = |probability: &f32| *probability > threshold;
    probabilities.iter().map(above).collect()
}

/// Scenes as the systems in the field read them: on a change from transition to picture a scene
/// starts, on a change back it ends before that frame. After the last frame, the scene still open
/// ends *at* it, so that the video's last frame is lost, and only when another scene ended before;
/// with none at all, the whole video is one scene if `whole` asks for that. One pass, O(frames).
pub fn scenes_with_lost_tail(transition: &[bool], whole: bool) -> Vec<FrameSpan> {
    let mut scenes = Vec::new();
    let mut start = 0;
    let mut before = false;
    for (frame, &now) in transition.iter().enumerate() {
        if before && !now {
            start = frame as u64;
        }
        if !before && now && frame != 0 {
            let end = frame as u64;
            scenes.push(FrameSpan { start, end });
        }
        before = now;
    }
    let frames = transition.len() as u64;
    if scenes.is_empty() {
        if whole {
            scenes.push(FrameSpan {
                start: 0,
                end: frames,
            });
        }
    } else if !before {
        scenes.push(FrameSpan {
            start,
            end: frames - 1,
        });
    }
    scenes
}

/// Scenes as they are: the longest runs of frames that belong to no transition. A video without
/// any transition is one scene only if `whole` asks for that. One pass, O(frames).
pub fn runs_between_transitions(transition: &[bool], whole: bool) -> Vec<FrameSpan> {
    let mut scenes = Vec::new();
    let mut start = None;
    let mut any = false;
    for (frame, &now) in transition.iter().enumerate() {
        any |= now;
        match (start, now) {
            (None, false) => start = Some(frame as u64),
            (Some(from), true) => {
                let end = frame as u64;
                scenes.push(FrameSpan { start: from, end });
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start.filter(|_| any || whole) {
        scenes.push(FrameSpan {
            start: from,
            end: transition.len() as u64,
        });
    }
    scenes
}

/// Scenes without `crop` frames at either end; those with nothing left are dropped.
pub fn crop_scenes(scenes: &[FrameSpan], crop: u64) -> Vec<FrameSpan> {
    let cropped = scenes.iter().filter_map(|scene| {
        let start = scene.start.checked_add(crop)?;
        let end = scene.end.checked_sub(crop)?;
        (start < end).then_some(FrameSpan { start, end })
    });
    cropped.collect()
}

/// Scenes of a wanted length: first those longer than the most are cut ([`OverlongScene`]), then
/// both ends are cropped, then those shorter than the least are dropped.
///
/// # Errors
/// [`crate::Error::Constant`] when the longest length is 0 or yields too many pieces.
pub fn filter_scenes(
    scenes: &[FrameSpan],
    lengths: SceneLengths,
    overlong: OverlongScene,
) -> Result<Vec<FrameSpan>> {
    let mut kept = Vec::with_capacity(scenes.len());
    for &scene in scenes {
        match (lengths.most, overlong) {
            (Some(most), OverlongScene::Stride) => {
                kept.append(&mut split_span(scene, most, lengths.least)?);
            }
            (Some(most), OverlongScene::Truncate) => kept.push(FrameSpan {
                end: scene.end.min(scene.start.saturating_add(most)),
                ..scene
            }),
            (None, _) => kept.push(scene),
        }
    }
    if let Some(crop) = lengths.crop.filter(|crop| *crop > 0) {
        kept = crop_scenes(&kept, crop);
    }
    if let Some(least) = lengths.least {
        kept.retain(|scene| scene.frames() >= least);
    }
    Ok(kept)
}

/// The clips of a video, from the transitions of its frames: scenes, filtered by length, named
/// after source and frames. Linear in frames and clips.
///
/// # Errors
/// [`crate::Error::Constant`] for a frame rate that is not positive, or a constant of the policy
/// out of range.
pub fn scene_clips(
    policy: &ScenePolicy,
    source: &str,
    rate: f64,
    transition: &[bool],
) -> Result<Vec<CutClip>> {
    positive("the frame rate", rate)?;
    let lengths = policy.lengths(rate)?;
    let scenes = if policy.keep_last_frame {
        runs_between_transitions(transition, policy.whole_video)
    } else {
        scenes_with_lost_tail(transition, policy.whole_video)
    };
    let scenes = filter_scenes(&scenes, lengths, policy.overlong)?;
    let clip = |scene: &FrameSpan| {
        Ok(CutClip {
            id: ClipUuid::of_frames(source, *scene),
            span: scene.seconds(rate)?,
        })
    };
    scenes.iter().map(clip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> Vec<bool> {
        text.bytes().map(|byte| byte == b'1').collect()
    }

    fn bounds(scenes: &[FrameSpan]) -> Vec<(u64, u64)> {
        scenes
            .iter()
            .map(|scene| (scene.start, scene.end))
            .collect()
    }

    #[test]
    fn the_field_loses_the_last_frame() {
        let found = |text: &str| bounds(&scenes_with_lost_tail(&bits(text), true));
        assert_eq!(found("0001100"), [(0, 3), (5, 6)]);
        assert_eq!(found("00011"), [(0, 3)]);
        // The scene after an opening transition is not seen, and the transition is in the clip.
        assert_eq!(found("11000"), [(0, 5)]);
        assert_eq!(found("0000"), [(0, 4)]);
        assert_eq!(found(""), [(0, 0)]);
        assert!(scenes_with_lost_tail(&[], false).is_empty());
    }

    #[test]
    fn runs_lose_nothing() {
        let found = |text: &str| bounds(&runs_between_transitions(&bits(text), true));
        assert_eq!(found("0001100"), [(0, 3), (5, 7)]);
        assert_eq!(found("11000"), [(2, 5)]);
        assert_eq!(found("0000"), [(0, 4)]);
        assert!(found("1111").is_empty());
        assert!(found("").is_empty());
        assert!(runs_between_transitions(&bits("000"), false).is_empty());
    }

    #[test]
    fn lengths_are_applied_in_order() {
        let scenes = [
            FrameSpan { start: 0, end: 100 },
            FrameSpan {
                start: 120,
                end: 125,
            },
        ];
        let lengths = SceneLengths {
            least: Some(10),
            most: Some(45),
            crop: Some(5),
        };
        let found = filter_scenes(&scenes, lengths, OverlongScene::Stride).unwrap();
        assert_eq!(bounds(&found), [(5, 40), (50, 85)]);
        let found = filter_scenes(&scenes, lengths, OverlongScene::Truncate).unwrap();
        assert_eq!(bounds(&found), [(5, 40)]);
        let none = SceneLengths::default();
        assert_eq!(
            filter_scenes(&scenes, none, OverlongScene::Stride).unwrap(),
            scenes
        );
    }

    #[test]
    fn the_hardened_policy_keeps_what_the_field_loses() {
        let transition = bits(&format!("11{}", "0".repeat(100)));
        let clips = |policy: ScenePolicy| scene_clips(&policy, "a", 25.0, &transition).unwrap();
        let policy = |policy: ScenePolicy| ScenePolicy {
            crop_seconds: None,
            ..policy
        };
        let original = clips(policy(ScenePolicy::original()));
        assert_eq!(
            original[0].span,
            SecondsSpan {
                start: 0.0,
                end: 4.08
            }
        );
        let hardened = clips(policy(ScenePolicy::hardened()));
        assert_eq!(
            hardened[0].span,
            SecondsSpan {
                start: 0.08,
                end: 4.08
            }
        );
        assert_ne!(original[0].id, hardened[0].id);
    }

    #[test]
    fn only_what_is_above_the_threshold_is_a_transition() {
        let found = transitions(&[0.4, 0.400_001, f32::NAN, 1.0], 0.4);
        assert_eq!(found, [false, true, false, true]);
    }
}
