use super::super::likeness::TagComponent;
use crate::{Error, Result};

/// Cosines from here on are of the same vector: what is missing is rounding.
const SAME: f64 = 1.0 - 1e-9;

/// Embeddings of a conversation's lines, scaled to length 1: the index does not depend on their
/// lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct LineVectors {
    units: Vec<Vec<f64>>,
}

impl LineVectors {
    /// Takes one vector per line, in order.
    ///
    /// # Errors
    /// [`Error::Length`] for vectors of different lengths, [`Error::NotFinite`] for one with a
    /// component that is not, [`Error::Empty`] for one without direction: all zeros, or no
    /// components.
    pub fn new<T: TagComponent, V: AsRef<[T]>>(vectors: &[V]) -> Result<Self> {
        let units = vectors.iter().map(|vector| unit(vector.as_ref()));
        let units: Vec<Vec<f64>> = units.collect::<Result<_>>()?;
        for pair in units.windows(2) {
            if let [left, right] = pair
                && left.len() != right.len()
            {
                return Err(Error::Length {
                    left: left.len(),
                    right: right.len(),
                });
            }
        }
        Ok(Self { units })
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The direction of the mean; nothing when the vectors cancel out.
    fn centre(&self) -> Option<Vec<f64>> {
        let mut sum = vec![0.0; self.units.first()?.len()];
        for vector in &self.units {
            for (sum, component) in sum.iter_mut().zip(vector) {
                *sum += component;
            }
        }
        let norm = sum.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        if norm < 1e-9 {
            return None;
        }
        sum.iter_mut().for_each(|sum| *sum /= norm);
        Some(sum)
    }
}

/// `mean cos(eᵢ, c)` held to 0 to 1, `c` the direction of the mean of `tags` where there are any,
/// else of the lines. 0 where these cancel out.
///
/// # Errors
/// [`Error::Empty`] without lines, [`Error::Length`] when tags have another length.
pub fn relevance(lines: &LineVectors, tags: Option<&LineVectors>) -> Result<f64> {
    if lines.is_empty() {
        return Err(Error::Empty { what: "the lines" });
    }
    let tags = tags.filter(|tags| !tags.is_empty());
    let Some(centre) = tags.unwrap_or(lines).centre() else {
        return Ok(0.0);
    };
    let cosines = lines.units.iter().map(|line| cosine(line, &centre));
    let sum: f64 = cosines.sum::<Result<f64>>()?;
    Ok((sum / lines.len() as f64).clamp(0.0, 1.0))
}

/// `mean over i > 0 of 1 − max(0, max cos(eᵢ, eⱼ))`, `j` among the `look_back` lines before `i`: 0 when
/// every line repeats one before. `O(lines · look_back)` inner products.
///
/// # Errors
/// [`Error::Empty`] below two lines or without looking back.
pub fn novelty(lines: &LineVectors, look_back: usize) -> Result<f64> {
    if lines.len() < 2 || look_back == 0 {
        return Err(Error::Empty {
            what: "the list of earlier lines",
        });
    }
    let mut sum = 0.0;
    for (place, line) in lines.units.iter().enumerate().skip(1) {
        let from = place.saturating_sub(look_back);
        let mut nearest = 0.0_f64;
        for before in lines.units.iter().take(place).skip(from) {
            nearest = nearest.max(cosine(line, before)?);
        }
        if nearest < SAME {
            sum += 1.0 - nearest;
        }
    }
    Ok(sum / (lines.len() - 1) as f64)
}

/// `mean cos(eᵢ, eᵢ₊₁)` held to 0 to 1.
///
/// # Errors
/// [`Error::Empty`] below two lines.
pub fn coherence(lines: &LineVectors) -> Result<f64> {
    if lines.len() < 2 {
        return Err(Error::Empty {
            what: "the list of neighbouring lines",
        });
    }
    let pairs = lines.units.iter().zip(lines.units.iter().skip(1));
    let sum: f64 = pairs
        .map(|(line, next)| cosine(line, next))
        .sum::<Result<f64>>()?;
    Ok((sum / (lines.len() - 1) as f64).clamp(0.0, 1.0))
}

fn cosine(left: &[f64], right: &[f64]) -> Result<f64> {
    f64::dot(left, right).ok_or(Error::Length {
        left: left.len(),
        right: right.len(),
    })
}

fn unit<T: TagComponent>(vector: &[T]) -> Result<Vec<f64>> {
    let wide = || vector.iter().map(|component| (*component).into());
    // By the largest first: squares of very large components overflow, of very small ones vanish.
    let largest = wide().fold(0.0_f64, |largest, component: f64| {
        largest.max(component.abs())
    });
    if !wide().all(f64::is_finite) {
        return Err(Error::NotFinite {
            what: "an embedding",
        });
    }
    if largest == 0.0 {
        return Err(Error::Empty {
            what: "an embedding",
        });
    }
    let mut unit: Vec<f64> = wide().map(|component| component / largest).collect();
    let norm = unit.iter().map(|part| part * part).sum::<f64>().sqrt();
    unit.iter_mut().for_each(|part| *part /= norm);
    Ok(unit)
}
