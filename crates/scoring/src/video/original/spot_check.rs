use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What came of an attempt to fetch a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Download {
    /// Fetched.
    Ok,
    /// The host refuses our address.
    Blocked,
    /// The video does not exist.
    Fake,
    /// No answer in time.
    Timeout,
    /// Nothing came back.
    None,
}

/// What is checked of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "clip")]
pub enum SpotCheck {
    /// A video that does not exist was met: the answer is punished.
    PunishFake,
    /// Only the description of the clip at this index.
    DescriptionOnly(usize),
    /// All modalities of the clip at this index.
    Full(usize),
}

/// What the validator embedded for a [`SpotCheck`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SpotCheckVectors {
    /// A video that does not exist was met.
    PunishFake,
    /// The description of one clip.
    DescriptionOnly {
        /// Index among the clips of allowed length.
        clip: usize,
        /// Our vector of its description.
        description: Vec<f32>,
    },
    /// All modalities of one clip.
    Full {
        /// Index among the clips of allowed length.
        clip: usize,
        /// Our vector of its frames.
        video: Vec<f32>,
        /// Our vector of its sound.
        audio: Vec<f32>,
        /// Our vector of its description.
        description: Vec<f32>,
    },
}

/// Decides what to check among `clips` clips. `pick` chooses one of the given number of clips that
/// are left, `download` tries to fetch the clip at the given index.
///
/// Without `full_check` one clip's description is checked. With it, clips are tried in the order
/// picked: a fake one is punished, a blocked one falls back to its description, one that times out or
/// brings nothing leads to the next; when none is left, the description of the last is checked.
///
/// # Errors
/// [`Error::Empty`] without clips, where the original raises.
pub fn choose_spot_check(
    full_check: bool,
    clips: usize,
    mut pick: impl FnMut(usize) -> usize,
    mut download: impl FnMut(usize) -> Download,
) -> Result<SpotCheck> {
    let mut left: Vec<usize> = (0..clips).collect();
    let mut last = None;
    while !left.is_empty() {
        let place = pick(left.len()).min(left.len() - 1);
        let clip = left.remove(place);
        if !full_check {
            return Ok(SpotCheck::DescriptionOnly(clip));
        }
        match download(clip) {
            Download::Ok => return Ok(SpotCheck::Full(clip)),
            Download::Blocked => return Ok(SpotCheck::DescriptionOnly(clip)),
            Download::Fake => return Ok(SpotCheck::PunishFake),
            Download::Timeout | Download::None => last = Some(clip),
        }
    }
    last.map(SpotCheck::DescriptionOnly).ok_or(Error::Empty {
        what: "the list of clips",
    })
}
