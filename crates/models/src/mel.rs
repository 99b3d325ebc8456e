//! Sound as the audio trunk takes it: a Kaldi-style mel spectrogram.

use std::{fmt, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex};

use crate::{Error, Result};

/// Samples of a frame: 25 ms.
const FRAME: usize = 400;
/// Samples from one frame to the next: 10 ms.
const SHIFT: usize = 160;
/// Points of the Fourier transform.
const POINTS: usize = 512;
/// Lowest and highest frequency of the bank, in hertz.
const LOWEST: f64 = 20.0;
const HIGHEST: f64 = 8_000.0;
/// Share of the sample before that is taken from each.
const PRE_EMPHASIS: f32 = 0.97;
/// Mean and deviation of ImageBind's training sounds.
const MEAN: f32 = -4.268;
const DEVIATION: f32 = 9.138;

/// A mel filter bank over 16 kHz sound: 128 bins, 204 frames, normalised for ImageBind.
///
/// Equal to `torchaudio.compliance.kaldi.fbank` with `htk_compat`, the symmetric Hanning window, no
/// dither and no energy: frames of 25 ms every 10 ms, the mean taken away, pre-emphasis 0.97, power of
/// 512 points, triangles even in mel (`1127 ln(1 + f / 700)`) from 20 Hz to 8 kHz, natural logarithm
/// floored at the machine epsilon of f32.
///
/// ```
/// use adit_models::MelBank;
///
/// let bank = MelBank::new();
/// let tone: Vec<f32> = (0..32_000).map(|n| (n as f32 * 0.2).sin()).collect();
/// let spectrogram = bank.spectrogram(&tone)?;
/// assert_eq!(spectrogram.len(), 128 * 204);
/// # Ok::<(), adit_models::Error>(())
/// ```
pub struct MelBank {
    transform: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    filters: Vec<Filter>,
}

/// One triangle: its first bin of the transform and its weights.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

impl MelBank {
    /// Samples per second of what it takes.
    pub const SAMPLE_RATE: u32 = 16_000;
    /// Bins of a spectrogram.
    pub const BINS: usize = 128;
    /// Frames of a spectrogram; two seconds have 198.
    pub const FRAMES: usize = 204;

    /// Builds the tables.
    pub fn new() -> Self {
        let turn = std::f64::consts::TAU / (FRAME - 1) as f64;
        Self {
            transform: RealFftPlanner::new().plan_fft_forward(POINTS),
            window: (0..FRAME)
                .map(|place| (0.5 - 0.5 * (turn * place as f64).cos()) as f32)
                .collect(),
            filters: filters(),
        }
    }

    /// The spectrogram of one channel: 128 rows of 204 frames, as [`MelBank::SAMPLE_RATE`] samples per
    /// second give them. The clip's mean is taken away first.
    ///
    /// Frames that the clip lacks hold what stands for a logarithm of 0 there (0.467); what it has
    /// beyond 204 frames is cut. Silence is sound input: every bin lies at the floor (−1.277). Loudness
    /// is not normalised, so clipped sound is that of its samples.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than 400 samples, or a sample that is not finite.
    pub fn spectrogram(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let mean = mean(samples);
        self.spectrogram_about(samples, mean)
    }

    /// [`MelBank::spectrogram`] with the mean of all channels of the clip, which the original takes
    /// away before it reads the first one.
    ///
    /// # Errors
    /// As [`MelBank::spectrogram`].
    pub fn spectrogram_about(&self, samples: &[f32], mean: f32) -> Result<Vec<f32>> {
        let refuse = |reason: String| Err(Error::Input { reason });
        if samples.len() < FRAME {
            return refuse(format!(
                "{} samples of sound, at least {FRAME} make a frame",
                samples.len()
            ));
        }
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return refuse(format!("sample {index} of the sound is not finite"));
        }
        if !mean.is_finite() {
            return refuse("the mean of the sound is not finite".to_owned());
        }
        let empty = (0.0 - MEAN) / DEVIATION;
        let mut spectrogram = vec![empty; Self::BINS * Self::FRAMES];
        let mut input = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = vec![0.0_f32; POINTS / 2];
        for (frame, samples) in samples
            .windows(FRAME)
            .step_by(SHIFT)
            .take(Self::FRAMES)
            .enumerate()
        {
            self.prepare(samples, mean, &mut input);
            if let Err(error) =
                self.transform
                    .process_with_scratch(&mut input, &mut spectrum, &mut scratch)
            {
                return refuse(error.to_string());
            }
            for (power, bin) in power.iter_mut().zip(&spectrum) {
                *power = bin.norm_sqr();
            }
            let column = spectrogram.iter_mut().skip(frame).step_by(Self::FRAMES);
            for (place, filter) in column.zip(&self.filters) {
                let bins = power.get(filter.first..).unwrap_or_default();
                let energy: f32 = filter
                    .weights
                    .iter()
                    .zip(bins)
                    .map(|(weight, bin)| weight * bin)
                    .sum();
                *place = (energy.max(f32::EPSILON).ln() - MEAN) / DEVIATION;
            }
        }
        Ok(spectrogram)
    }

    /// One frame, windowed and padded.
    fn prepare(&self, samples: &[f32], clip_mean: f32, input: &mut [f32]) {
        let offset = mean(samples);
        let mut last = samples
            .first()
            .map_or(0.0, |first| (first - clip_mean) - (offset - clip_mean));
        input.fill(0.0);
        for ((place, sample), window) in input.iter_mut().zip(samples).zip(&self.window) {
            let sample = (sample - clip_mean) - (offset - clip_mean);
            *place = (sample - PRE_EMPHASIS * last) * window;
            last = sample;
        }
    }
}

impl Default for MelBank {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MelBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MelBank").finish_non_exhaustive()
    }
}

/// The mean, summed in double precision.
fn mean(samples: &[f32]) -> f32 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample)).sum();
    (sum / samples.len().max(1) as f64) as f32
}

fn mel(frequency: f64) -> f64 {
    1127.0 * (1.0 + frequency / 700.0).ln()
}

/// The triangles. Kaldi leaves out the transform's last bin.
fn filters() -> Vec<Filter> {
    let width = f64::from(MelBank::SAMPLE_RATE) / POINTS as f64;
    let step = (mel(HIGHEST) - mel(LOWEST)) / (MelBank::BINS + 1) as f64;
    (0..MelBank::BINS)
        .map(|bin| {
            let left = mel(LOWEST) + step * bin as f64;
            let weight = |index: usize| {
                let rise = (mel(width * index as f64) - left) / step;
                rise.min(2.0 - rise).max(0.0) as f32
            };
            let touched = |index: &usize| weight(*index) > 0.0;
            let first = (0..POINTS / 2).find(touched).unwrap_or_default();
            Filter {
                first,
                weights: (first..POINTS / 2)
                    .take_while(touched)
                    .map(weight)
                    .collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::MelBank;

    #[test]
    fn silence_lies_at_the_floor() {
        let spectrogram = MelBank::new().spectrogram(&[0.25; 32_000]).unwrap();
        let rows: Vec<&[f32]> = spectrogram.chunks(MelBank::FRAMES).collect();
        for row in rows {
            assert!(
                row[..198]
                    .iter()
                    .all(|value| (value + 1.277_5).abs() < 1e-3)
            );
            assert!(
                row[198..]
                    .iter()
                    .all(|value| (value - 0.467_1).abs() < 1e-3)
            );
        }
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        let bank = MelBank::new();
        assert!(bank.spectrogram(&[]).is_err());
        assert!(bank.spectrogram(&[0.1; 399]).is_err());
        let mut broken = vec![0.1; 4_000];
        broken[3_999] = f32::NAN;
        assert!(bank.spectrogram(&broken).is_err());
        assert!(bank.spectrogram(&[f32::MAX; 4_000]).is_ok());
    }
}
