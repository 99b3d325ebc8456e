use std::{f32::consts::PI, fmt, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex};

use crate::{Error, Result};

/// Samples per second.
pub(super) const SAMPLE_RATE: u32 = 16_000;
/// Mel bands.
pub(super) const BANDS: usize = 32;
const WINDOW: usize = 512;
const STEP: usize = 256;
/// Lowest and highest frequency looked at, in hertz: what every encoder keeps.
const LOWEST: f32 = 60.0;
const HIGHEST: f32 = 6_000.0;
/// Power (of a full-scale sine: 1) below which sound counts as silence: −70 dB.
const SILENCE: f32 = 1e-7;
/// What lies so far below the loudest moment is hidden by it, and encoders drop it: 40 dB.
const HIDDEN: f32 = 1e-4;

/// Energies of sound in mel bands, in windows of 32 ms every 16 ms.
pub(super) struct MelBands {
    transform: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Per band its first bin and the weights from there on.
    filters: Vec<(usize, Vec<f32>)>,
}

impl fmt::Debug for MelBands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MelBands").finish_non_exhaustive()
    }
}

impl MelBands {
    pub(super) fn new() -> Self {
        let mel = |hertz: f32| 1127.0 * (hertz / 700.0).ln_1p();
        let hertz = |mel: f32| 700.0 * (mel / 1127.0).exp_m1();
        let (low, high) = (mel(LOWEST), mel(HIGHEST));
        let edge = |index: usize| {
            let part = index as f32 / (BANDS + 1) as f32;
            hertz(low + (high - low) * part) * WINDOW as f32 / SAMPLE_RATE as f32
        };
        let filters = (0..BANDS).map(|band| {
            let (from, peak, to) = (edge(band), edge(band + 1), edge(band + 2));
            let (first, last) = (from.floor() as usize, to.ceil() as usize);
            // Low bands are narrower than a bin: at least half a bin to each side.
            let (rise, fall) = ((peak - from).max(1.0), (to - peak).max(1.0));
            let weight = |bin: usize| {
                let distance = bin as f32 - peak;
                let slope = if distance < 0.0 {
                    -distance / rise
                } else {
                    distance / fall
                };
                (1.0 - slope).max(0.0)
            };
            (first, (first..=last).map(weight).collect())
        });
        let window = (0..WINDOW).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f32 / WINDOW as f32).cos());
        Self {
            transform: RealFftPlanner::new().plan_fft_forward(WINDOW),
            window: window.collect(),
            filters: filters.collect(),
        }
    }

    /// Decibels per window and band above what is silent or hidden, from 0; at least one window.
    pub(super) fn levels(&self, samples: &[f32]) -> Result<Vec<[f32; BANDS]>> {
        let mut input = self.transform.make_input_vec();
        let mut output = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let windows = samples.len().saturating_sub(WINDOW) / STEP + 1;
        let mut levels = Vec::with_capacity(windows);
        for index in 0..windows {
            let part = samples.get(index * STEP..).unwrap_or_default();
            input.fill(0.0);
            for ((slot, sample), weight) in input.iter_mut().zip(part).zip(&self.window) {
                // Decoders overshoot full scale a little; anything far beyond it is clipped.
                *slot = sample.clamp(-4.0, 4.0) * weight;
            }
            self.transform
                .process_with_scratch(&mut input, &mut output, &mut scratch)
                .map_err(|error| Error::Model {
                    model: "the Fourier transform".to_owned(),
                    reason: error.to_string(),
                })?;
            let mut bands = [0.0; BANDS];
            for (band, (first, weights)) in bands.iter_mut().zip(&self.filters) {
                let bins = output.iter().skip(*first).zip(weights);
                let power: f32 = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                // A full-scale sine has |bin| = WINDOW / 4 under this window.
                *band = power / (WINDOW as f32 / 4.0).powi(2);
            }
            levels.push(bands);
        }
        let loudest = levels.iter().flatten().copied().fold(0.0, f32::max);
        let floor = SILENCE.max(loudest * HIDDEN);
        for power in levels.iter_mut().flatten() {
            *power = 10.0 * (power.max(floor) / floor).log10();
        }
        Ok(levels)
    }
}
