use adit_embedding::{Embedding, Space};
use adit_protocol::{v1, vector};
use serde::{Deserialize, Serialize};

/// What a clip must be to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipConstraints {
    /// Shortest clip, in milliseconds.
    pub min_duration_ms: u64,
    /// Longest clip, in milliseconds.
    pub max_duration_ms: u64,
    /// Longest description, in bytes of UTF-8.
    pub max_description_bytes: u32,
}

impl Default for ClipConstraints {
    /// 5 to 120 seconds as in the field (`spec/video.md` §1.5), descriptions up to 8 KiB.
    fn default() -> Self {
        Self {
            min_duration_ms: 5_000,
            max_duration_ms: 120_000,
            max_description_bytes: 8_192,
        }
    }
}

/// One question: clips for a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoTask {
    /// What the clips should show.
    pub topic: String,
    /// Most clips that count.
    pub clips_wanted: u32,
    /// What a clip must be.
    pub constraints: ClipConstraints,
}

/// A miner's answer, as claimed: nothing in it is believed before it is verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoAnswer {
    /// The clips, in the miner's order.
    pub clips: Vec<ClaimedClip>,
}

/// One clip as a miner claims it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimedClip {
    /// The miner's name for the source.
    pub video_id: String,
    /// Where the source can be fetched.
    pub source_url: String,
    /// Start (inclusive) in the source, in milliseconds.
    pub start_ms: u64,
    /// End (exclusive) in the source, in milliseconds.
    pub end_ms: u64,
    /// What the miner says it shows.
    pub description: String,
    /// Vector of the frames.
    pub video: Option<PackedVector>,
    /// Vector of the sound.
    pub audio: Option<PackedVector>,
    /// Vector of the description.
    pub text: Option<PackedVector>,
}

/// A vector as it came over the wire, undecoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedVector {
    space: String,
    dimension: u32,
    encoding: i32,
    #[serde(with = "hex")]
    values: Vec<u8>,
}

impl PackedVector {
    /// Packs an embedding as f32.
    pub fn pack(embedding: &Embedding) -> Self {
        Self::from(vector::encode(embedding, vector::VectorEncoding::F32))
    }

    /// Bytes as they might come over the wire, checked by nobody yet: little-endian f32.
    pub fn raw(space: String, dimension: u32, values: Vec<u8>) -> Self {
        Self {
            space,
            dimension,
            encoding: v1::vector::Encoding::F32 as i32,
            values,
        }
    }

    /// The embedding, if it is a finite vector of exactly this space.
    ///
    /// # Errors
    /// What is wrong with it, see [`adit_protocol::vector::decode`].
    pub fn unpack(&self, expected: &Space) -> Result<Embedding, adit_protocol::Error> {
        vector::decode(&self.clone().into(), expected)
    }
}

impl From<v1::Vector> for PackedVector {
    fn from(wire: v1::Vector) -> Self {
        Self {
            space: wire.space,
            dimension: wire.dimension,
            encoding: wire.encoding,
            values: wire.values.into(),
        }
    }
}

impl From<PackedVector> for v1::Vector {
    fn from(packed: PackedVector) -> Self {
        Self {
            space: packed.space,
            dimension: packed.dimension,
            encoding: packed.encoding,
            values: packed.values.into(),
        }
    }
}

impl From<v1::Clip> for ClaimedClip {
    fn from(wire: v1::Clip) -> Self {
        Self {
            video_id: wire.video_id,
            source_url: wire.source_url,
            start_ms: wire.start_ms,
            end_ms: wire.end_ms,
            description: wire.description,
            video: wire.video.map(PackedVector::from),
            audio: wire.audio.map(PackedVector::from),
            text: wire.text.map(PackedVector::from),
        }
    }
}

impl From<ClaimedClip> for v1::Clip {
    fn from(clip: ClaimedClip) -> Self {
        Self {
            video_id: clip.video_id,
            source_url: clip.source_url,
            start_ms: clip.start_ms,
            end_ms: clip.end_ms,
            description: clip.description,
            video: clip.video.map(v1::Vector::from),
            audio: clip.audio.map(v1::Vector::from),
            text: clip.text.map(v1::Vector::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector() -> impl Strategy<Value = Option<PackedVector>> {
        let parts = (".{0,20}", any::<u32>(), any::<i32>(), any::<Vec<u8>>());
        let packed = parts.prop_map(|(space, dimension, encoding, values)| PackedVector {
            space,
            dimension,
            encoding,
            values,
        });
        prop::option::of(packed)
    }

    prop_compose! {
        fn clip()(
            texts in (".{0,40}", ".{0,40}", ".{0,40}"),
            times in any::<(u64, u64)>(),
            vectors in (vector(), vector(), vector()),
        ) -> ClaimedClip {
            ClaimedClip {
                video_id: texts.0,
                source_url: texts.1,
                start_ms: times.0,
                end_ms: times.1,
                description: texts.2,
                video: vectors.0,
                audio: vectors.1,
                text: vectors.2,
            }
        }
    }

    proptest! {
        /// Whatever a miner sends is judged as it was sent: stored as text, and passed on.
        #[test]
        fn claims_survive_text_and_wire(clip in clip()) {
            let answer = VideoAnswer { clips: vec![clip.clone()] };
            let text = serde_json::to_string(&answer).unwrap();
            prop_assert_eq!(serde_json::from_str::<VideoAnswer>(&text).unwrap(), answer);
            prop_assert_eq!(ClaimedClip::from(v1::Clip::from(clip.clone())), clip);
        }

        #[test]
        fn packed_embeddings_read_back_bit_by_bit(
            values in prop::collection::vec(-1e3_f32..1e3, 3)
                .prop_filter("has a direction", |values| values.iter().any(|value| value.abs() > 1e-3)),
        ) {
            let space = Space::new("test-v1", 3).unwrap();
            let embedding = Embedding::new(space.clone(), values).unwrap();
            prop_assert_eq!(PackedVector::pack(&embedding).unpack(&space).unwrap(), embedding);
        }
    }

    #[test]
    fn raw_bytes_are_checked_when_unpacked() {
        let space = Space::new("test-v1", 2).unwrap();
        let raw = |values| PackedVector::raw("test-v1/2".to_owned(), 2, values);
        let sound = [1.0_f32, 0.0].map(f32::to_le_bytes).concat();
        assert!(raw(sound.clone()).unpack(&space).is_ok());
        for bad in [Vec::new(), vec![0; 8], vec![0xff; 8], sound.repeat(2)] {
            assert!(raw(bad).unpack(&space).is_err());
        }
    }
}
