use super::{
    block::{centre, damp},
    cosine_transform::CosineTransform,
    mel::{BANDS, MelBands, SAMPLE_RATE},
};
use crate::{AudioEmbedder, AudioSamples, Embedding, Error, Result, Space};

/// Cepstral coefficients: the shape of the spectrum, without its loudness.
const SHAPES: usize = 16;
/// Temporal coefficients of each, over the whole sound.
const TIMES: usize = 8;
/// Temporal coefficients of loudness, without its mean.
const LOUDNESS: usize = 15;
const SHAPE: usize = SHAPES * TIMES;
const DIMENSION: usize = 1 + SHAPE + LOUDNESS + BANDS;
/// Longest sound: twenty minutes.
const MOST_SAMPLES: usize = 20 * 60 * SAMPLE_RATE as usize;

/// The weight-free descriptor of sound, space `perceptual-audio-v1/176`.
///
/// Of the levels in 32 mel bands (60 Hz to 6 kHz), in windows of 32 ms every 16 ms:
/// - shape: 16 cepstral by 8 temporal cosine coefficients (128);
/// - loudness over time: 15 temporal coefficients (15);
/// - liveliness: each band's standard deviation over time, against the mean of all bands (32);
/// - a constant (1).
///
/// Takes 1 sample to 20 minutes at 16 kHz; samples beyond ±4 are clipped. A sound shorter than one
/// window is padded with silence. Silence (below −70 dB of full scale in every band), however long,
/// has one and the same direction.
#[derive(Debug)]
pub struct PerceptualAudio {
    space: Space,
    bands: MelBands,
    shapes: CosineTransform,
}

impl PerceptualAudio {
    /// Name of its space.
    pub const SPACE: &'static str = "perceptual-audio-v1";

    /// Prepares the filters.
    ///
    /// # Errors
    /// None in practice; the space's name and dimension are valid.
    pub fn new() -> Result<Self> {
        Ok(Self {
            space: Space::new(Self::SPACE, DIMENSION)?,
            bands: MelBands::new(),
            shapes: CosineTransform::new(BANDS, SHAPES + 1),
        })
    }

    fn embed(&self, sound: &AudioSamples) -> Result<Embedding> {
        let refuse = |reason: String| Error::Input {
            what: "a sound",
            reason,
        };
        if sound.sample_rate != SAMPLE_RATE {
            return Err(refuse(format!("{} samples a second", sound.sample_rate)));
        }
        if sound.samples.is_empty() || sound.samples.len() > MOST_SAMPLES {
            return Err(refuse(format!("it has {} samples", sound.samples.len())));
        }
        if sound.samples.iter().any(|sample| !sample.is_finite()) {
            return Err(refuse("a sample is not finite".to_owned()));
        }
        let levels = self.bands.levels(&sound.samples)?;
        let times = CosineTransform::new(levels.len(), TIMES.max(LOUDNESS + 1));

        let mut shape = vec![0.0; SHAPE];
        let mut loudness = vec![0.0; LOUDNESS];
        for (window, bands) in levels.iter().enumerate() {
            let mut coefficients = self.shapes.apply(bands);
            let mean = coefficients.next().unwrap_or(0.0);
            let coefficients: Vec<f32> = coefficients.collect();
            for (row, part) in times.rows().zip(shape.chunks_exact_mut(SHAPES)) {
                let weight = row.get(window).copied().unwrap_or(0.0);
                for (slot, coefficient) in part.iter_mut().zip(&coefficients) {
                    *slot += weight * coefficient;
                }
            }
            for (row, slot) in times.rows().skip(1).zip(&mut loudness) {
                *slot += row.get(window).copied().unwrap_or(0.0) * mean;
            }
        }
        for (index, value) in shape.iter_mut().enumerate() {
            let (time, coefficient) = (index / SHAPES, index % SHAPES + 1);
            // Most sound falls towards high frequencies: the first coefficients tell little.
            *value *= (coefficient as f32).powf(0.65);
            if time > 0 {
                *value *= 1.5;
            }
        }
        damp(&mut shape, 1.0, 3.0);
        damp(&mut loudness, 0.5, 1.0);
        let mut liveliness = deviations(&levels);
        centre(&mut liveliness);
        damp(&mut liveliness, 0.3, 2.0);

        let mut values = vec![0.05];
        values.extend(shape);
        values.extend(loudness);
        values.extend(liveliness);
        Embedding::new(self.space.clone(), values)
    }
}

impl AudioEmbedder for PerceptualAudio {
    fn space(&self) -> &Space {
        &self.space
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn embed_sounds(&self, sounds: &[AudioSamples]) -> Result<Vec<Embedding>> {
        sounds.iter().map(|sound| self.embed(sound)).collect()
    }
}

/// Standard deviation over time of each band.
fn deviations(levels: &[[f32; BANDS]]) -> Vec<f32> {
    let count = levels.len().max(1) as f32;
    let deviation = |band: usize| {
        let of = |bands: &[f32; BANDS]| bands.get(band).copied().unwrap_or(0.0);
        let mean = levels.iter().map(of).sum::<f32>() / count;
        let square = levels
            .iter()
            .map(|bands| (of(bands) - mean).powi(2))
            .sum::<f32>();
        (square / count).sqrt()
    };
    (0..BANDS).map(deviation).collect()
}
