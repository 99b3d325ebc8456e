use crate::{Error, Result};

/// The points of the cluster with the largest sum of weights, in order; with the most points where
/// there are no weights. Of equals, the cluster with the lowest label. None of no points.
///
/// # Errors
/// [`Error::Count`] unless there is a weight for each label, [`Error::NotFinite`] or
/// [`Error::Negative`] for a weight that is no weight.
pub fn dominant_cluster(labels: &[usize], weights: Option<&[f64]>) -> Result<Vec<usize>> {
    if let Some(weights) = weights {
        check_weights(labels.len(), weights)?;
    }
    let mut sorted: Vec<(usize, usize)> = labels.iter().copied().zip(0..).collect();
    // By label, then by number: each cluster is a run.
    sorted.sort_unstable();
    let weight = |point: usize| match weights {
        Some(weights) => weights.get(point).copied().unwrap_or(0.0),
        None => 1.0,
    };
    let mut best: Option<(f64, &[(usize, usize)])> = None;
    for cluster in sorted.chunk_by(|left, right| left.0 == right.0) {
        let sum: f64 = cluster.iter().map(|(_, point)| weight(*point)).sum();
        if best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, cluster));
        }
    }
    let (_, cluster) = best.unwrap_or_default();
    Ok(cluster.iter().map(|(_, point)| *point).collect())
}

/// Each answer has a weight that is a number from 0 up.
pub(in super::super) fn check_weights(answers: usize, weights: &[f64]) -> Result<()> {
    if weights.len() != answers {
        return Err(Error::Count {
            what: "the list of weights",
            expected: answers,
            found: weights.len(),
        });
    }
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::NotFinite { what: "a weight" });
    }
    if weights.iter().any(|weight| *weight < 0.0) {
        return Err(Error::Negative { what: "a weight" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_decide_and_ties_go_to_the_lowest_label() {
        let labels = [1, 0, 1, 0, 2];
        assert_eq!(dominant_cluster(&labels, None).unwrap(), [1, 3]);
        let weights = [0.5, 0.5, 0.5, 0.1, 1.0];
        assert_eq!(dominant_cluster(&labels, Some(&weights)).unwrap(), [0, 2]);
        assert_eq!(dominant_cluster(&[], None).unwrap(), []);
        assert!(dominant_cluster(&labels, Some(&[1.0])).is_err());
        assert!(dominant_cluster(&[0], Some(&[f64::NAN])).is_err());
        assert!(dominant_cluster(&[0], Some(&[-1.0])).is_err());
    }
}
