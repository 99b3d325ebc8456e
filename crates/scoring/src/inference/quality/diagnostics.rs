//! What the field records of a text and does not score by.

use super::signals::{SentenceSignals, mean};
use crate::{Error, Result, inference::component::Component};

/// Cosine from which two sentences are linked in [`linkage`].
const LINKED_FROM: f64 = 0.3;
/// Sentences that [`linkage`] takes at most; it is cubic in them.
const MOST_LINKED: usize = 256;
/// Differences of embeddings shorter than this have no direction.
const LEAST_LENGTH: f64 = 1e-9;

/// `1 − cosine` of the first and the last sentence, 0 to 1; 0 for fewer than two.
pub fn topic_drift(signals: &SentenceSignals) -> f64 {
    let gram = signals.gram();
    if gram.len() < 2 {
        return 0.0;
    }
    (1.0 - gram.cosine(0, gram.len() - 1)).clamp(0.0, 1.0)
}

/// Twice the mean of `1 − cosine` of each sentence with the next, 0 to 1; 0 for fewer than two.
pub fn path_length(signals: &SentenceSignals) -> f64 {
    (2.0 * mean(signals.gram().adjacent().map(|cosine| 1.0 - cosine))).clamp(0.0, 1.0)
}

/// `exp(−((c − 0.4) / 0.3)²)`, where c is the mean of `1 − cosine` of each step from one sentence to the
/// next with the step after: 1 for a path that bends as arguments do, near 0 for a straight one and for
/// leaps; 0 for fewer than three sentences. O(n · dimension).
///
/// # Errors
/// [`Error::Length`] for vectors of different lengths, [`Error::NotFinite`] for a component that is
/// not finite.
pub fn curvature<T: Component, V: AsRef<[T]>>(sentences: &[V]) -> Result<f64> {
    if sentences.len() < 3 {
        return Ok(0.0);
    }
    let steps = sentences
        .iter()
        .zip(sentences.iter().skip(1))
        .map(|(from, to)| direction(from.as_ref(), to.as_ref()))
        .collect::<Result<Vec<_>>>()?;
    let bends = steps.iter().zip(steps.iter().skip(1)).map(|(step, next)| {
        let cosine: f64 = step.iter().zip(next).map(|(a, b)| a * b).sum();
        1.0 - cosine
    });
    let off = (mean(bends) - 0.4) / 0.3;
    Ok((-(off * off)).exp())
}

/// The unit vector from one to another; the difference itself when it is next to nothing.
fn direction<T: Component>(from: &[T], to: &[T]) -> Result<Vec<f64>> {
    if from.len() != to.len() {
        return Err(Error::Length {
            left: from.len(),
            right: to.len(),
        });
    }
    let difference: Vec<f64> = from
        .iter()
        .zip(to)
        .map(|(from, to)| (*to).into() - (*from).into())
        .collect();
    let length = difference
        .iter()
        .map(|part| part * part)
        .sum::<f64>()
        .sqrt();
    if !length.is_finite() {
        return Err(Error::NotFinite {
            what: "an embedding",
        });
    }
    if length > LEAST_LENGTH {
        Ok(difference.into_iter().map(|part| part / length).collect())
    } else {
        Ok(difference)
    }
}

/// How closely sentences are linked, 0 to 1, where those with a cosine of 0.3 or more are:
/// `0.4 · largest connected part + 0.3 · mean clustering coefficient + 0.3 · min(1, gap / max(1, n/10))`,
/// the gap being the second smallest eigenvalue of the graph's Laplacian. 1 for fewer than three
/// sentences. O(n³).
///
/// # Errors
/// [`Error::Constant`] for more than 256 sentences.
pub fn linkage(signals: &SentenceSignals) -> Result<f64> {
    let gram = signals.gram();
    let count = gram.len();
    if count < 3 {
        return Ok(1.0);
    }
    if count > MOST_LINKED {
        return Err(Error::Constant {
            name: "the number of sentences",
            value: count as f64,
            least: 0.0,
            most: MOST_LINKED as f64,
        });
    }
    let neighbours: Vec<Vec<usize>> = (0..count)
        .map(|sentence| {
            let linked =
                |other: &usize| *other != sentence && gram.cosine(sentence, *other) >= LINKED_FROM;
            (0..count).filter(linked).collect()
        })
        .collect();
    let largest = largest_part(&neighbours) as f64 / count as f64;
    let clustering = mean(
        neighbours
            .iter()
            .map(|linked| clustering(&neighbours, linked)),
    );
    let gap = spectral_gap(&neighbours) / (count as f64 * 0.1).max(1.0);
    Ok((0.4 * largest + 0.3 * clustering + 0.3 * gap.min(1.0)).clamp(0.0, 1.0))
}

fn largest_part(neighbours: &[Vec<usize>]) -> usize {
    let mut seen = vec![false; neighbours.len()];
    let mut largest = 0;
    for start in 0..neighbours.len() {
        let mut waiting = vec![start];
        let mut size = 0;
        while let Some(sentence) = waiting.pop() {
            let Some(flag) = seen.get_mut(sentence) else {
                continue;
            };
            if std::mem::replace(flag, true) {
                continue;
            }
            size += 1;
            waiting.extend(neighbours.get(sentence).into_iter().flatten());
        }
        largest = largest.max(size);
    }
    largest
}

/// Links among the neighbours of a sentence, as a part of all there could be.
fn clustering(neighbours: &[Vec<usize>], linked: &[usize]) -> f64 {
    let degree = linked.len() as f64;
    if linked.len() < 2 {
        return 0.0;
    }
    let links: usize = linked
        .iter()
        .filter_map(|sentence| neighbours.get(*sentence))
        .map(|theirs| {
            theirs
                .iter()
                .filter(|other| linked.binary_search(other).is_ok())
                .count()
        })
        .sum();
    // Each link was found from both its ends.
    links as f64 / (degree * (degree - 1.0))
}

/// The second smallest eigenvalue of the Laplacian, by Jacobi's rotations.
fn spectral_gap(neighbours: &[Vec<usize>]) -> f64 {
    let count = neighbours.len();
    let mut matrix: Vec<Vec<f64>> = neighbours
        .iter()
        .enumerate()
        .map(|(sentence, linked)| {
            let mut row = vec![0.0; count];
            for (other, slot) in row.iter_mut().enumerate() {
                if other == sentence {
                    *slot = linked.len() as f64;
                } else if linked.binary_search(&other).is_ok() {
                    *slot = -1.0;
                }
            }
            row
        })
        .collect();
    // Convergence is quadratic; no matrix of this size needs as many sweeps.
    for _ in 0..64 {
        if off_diagonal(&matrix) < 1e-22 * (count * count) as f64 {
            break;
        }
        for first in 0..count {
            for second in first + 1..count {
                rotate(&mut matrix, first, second);
            }
        }
    }
    let mut eigenvalues: Vec<f64> = matrix
        .iter()
        .enumerate()
        .filter_map(|(place, row)| row.get(place).copied())
        .collect();
    eigenvalues.sort_by(f64::total_cmp);
    eigenvalues.get(1).copied().unwrap_or(0.0)
}

fn off_diagonal(matrix: &[Vec<f64>]) -> f64 {
    let rows = matrix.iter().enumerate();
    rows.flat_map(|(place, row)| row.iter().skip(place + 1))
        .map(|value| value * value)
        .sum()
}

/// Turns two axes so that the entry they share becomes 0.
fn rotate(matrix: &mut [Vec<f64>], first: usize, second: usize) {
    let entry = |row: usize, column: usize| {
        let found = matrix.get(row).and_then(|row| row.get(column));
        found.copied().unwrap_or(0.0)
    };
    let shared = entry(first, second);
    if shared == 0.0 {
        return;
    }
    let slope = (entry(second, second) - entry(first, first)) / (2.0 * shared);
    let tangent = slope.signum() / (slope.abs() + slope.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for row in matrix.iter_mut() {
        if let Ok([a, b]) = row.get_disjoint_mut([first, second]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
    if let Ok([upper, lower]) = matrix.get_disjoint_mut([first, second]) {
        for (a, b) in upper.iter_mut().zip(lower) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_of_known_graphs() {
        let path = [vec![1], vec![0, 2], vec![1]];
        assert!((spectral_gap(&path) - 1.0).abs() < 1e-12);
        let complete: Vec<Vec<usize>> = (0..5)
            .map(|own| (0..5).filter(|other| *other != own).collect())
            .collect();
        assert!((spectral_gap(&complete) - 5.0).abs() < 1e-12);
        assert_eq!(spectral_gap(&[vec![], vec![], vec![]]), 0.0);
    }
}
