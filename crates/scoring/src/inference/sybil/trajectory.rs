use super::{
    pairs::{SybilPair, SybilSign, most_alike_first},
    policy::{SybilPolicy, TrajectoryOrder},
};
use crate::{
    Result,
    inference::{
        component::Component,
        gram::{Gram, Measured, inner_product},
    },
};

/// Rounds of Lloyd's algorithm at most; few sentences settle in a handful.
const MOST_ROUNDS: usize = 50;

/// Pairs of answers whose sentences take the same path.
///
/// An answer's path is made of the k means of its sentences' embeddings, in the policy's order; two
/// paths are as alike as the mean cosine of their means. An answer of fewer than k sentences has none.
///
/// The means are found by Lloyd's algorithm from starts that lie far apart (the first sentence, then
/// always the one farthest from all starts), so that they are the same each time; the original starts
/// scikit-learn's k-means++ from seed 42. For exactly k sentences both give the sentences themselves.
pub(super) fn trajectory_pairs<T: Component, V: AsRef<[T]>>(
    policy: &SybilPolicy,
    sentences: &[&[V]],
    looked_at: &[bool],
) -> Result<Vec<SybilPair>> {
    let most = policy.most_sentences.unwrap_or(usize::MAX);
    let mut paths: Vec<(usize, Vec<T>)> = Vec::new();
    for (answer, (rows, looked_at)) in sentences.iter().zip(looked_at).enumerate() {
        let rows = rows.get(..most).unwrap_or(rows);
        if *looked_at && rows.len() >= policy.trajectory_clusters {
            paths.push((answer, path(policy, rows)?));
        }
    }
    let mut pairs = Vec::new();
    for (place, (first, left)) in paths.iter().enumerate() {
        for (second, right) in paths.iter().skip(place + 1) {
            // Each path is as many unit vectors in one.
            let likeness = inner_product(left, right)? / policy.trajectory_clusters as f64;
            if policy.reaches(likeness, policy.trajectory) {
                pairs.push(SybilPair {
                    first: *first,
                    second: *second,
                    likeness,
                    sign: SybilSign::Trajectory,
                });
            }
        }
    }
    Ok(most_alike_first(pairs))
}

/// The means of a text's sentences, each scaled to length 1, one after another.
fn path<T: Component, V: AsRef<[T]>>(policy: &SybilPolicy, rows: &[V]) -> Result<Vec<T>> {
    let measured = Measured::all(rows)?;
    let clusters = if measured.len() == policy.trajectory_clusters {
        (0..measured.len()).map(|sentence| vec![sentence]).collect()
    } else {
        clusters(&Gram::new(&measured)?, policy.trajectory_clusters)
    };
    let mut means = clusters
        .iter()
        .map(|cluster| mean(&measured, cluster))
        .collect::<Result<Vec<Mean>>>()?;
    match policy.trajectory_order {
        TrajectoryOrder::Length => {
            means.sort_by(|left, right| left.length.total_cmp(&right.length))
        }
        TrajectoryOrder::Text => means.sort_by_key(|mean| mean.first),
    }
    let scaled = means.iter().flat_map(|mean| {
        let length = if mean.length > 0.0 { mean.length } else { 1.0 };
        mean.values
            .iter()
            .map(move |part| T::nearest(part / length))
    });
    Ok(scaled.collect())
}

struct Mean {
    values: Vec<f64>,
    length: f64,
    first: usize,
}

fn mean<T: Component>(rows: &[Measured<'_, T>], cluster: &[usize]) -> Result<Mean> {
    let mut values: Vec<f64> = Vec::new();
    for row in cluster.iter().filter_map(|sentence| rows.get(*sentence)) {
        values.resize(row.values.len(), 0.0);
        for (sum, part) in values.iter_mut().zip(row.values) {
            *sum += (*part).into();
        }
    }
    values
        .iter_mut()
        .for_each(|sum| *sum /= cluster.len().max(1) as f64);
    let length = inner_product(&values, &values)?.sqrt();
    Ok(Mean {
        values,
        length,
        first: cluster.iter().copied().min().unwrap_or_default(),
    })
}

/// `count` clusters of the rows; none is empty as there are at least as many rows.
fn clusters(gram: &Gram, count: usize) -> Vec<Vec<usize>> {
    let starts = far_apart(gram, count);
    let mut clusters: Vec<Vec<usize>> = starts.iter().map(|start| vec![*start]).collect();
    for _ in 0..MOST_ROUNDS {
        let found = nearest(gram, &clusters, &starts);
        if found == clusters {
            break;
        }
        clusters = found;
    }
    clusters
}

fn far_apart(gram: &Gram, count: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let mut distances: Vec<f64> = (0..gram.len()).map(|row| gram.distance(0, row)).collect();
    while starts.len() < count {
        let mut farthest = (0, f64::NEG_INFINITY);
        for (row, distance) in distances.iter().enumerate() {
            if *distance > farthest.1 && !starts.contains(&row) {
                farthest = (row, *distance);
            }
        }
        starts.push(farthest.0);
        for (row, distance) in distances.iter_mut().enumerate() {
            *distance = distance.min(gram.distance(farthest.0, row));
        }
    }
    starts
}

/// Each row goes to the cluster with the nearest mean; a cluster without rows keeps its start.
fn nearest(gram: &Gram, clusters: &[Vec<usize>], starts: &[usize]) -> Vec<Vec<usize>> {
    let products = |row: usize, cluster: &[usize]| {
        cluster
            .iter()
            .map(|other| gram.product(row, *other))
            .sum::<f64>()
            / cluster.len().max(1) as f64
    };
    let squares: Vec<f64> = clusters
        .iter()
        .map(|cluster| {
            cluster
                .iter()
                .map(|row| products(*row, cluster))
                .sum::<f64>()
                / cluster.len().max(1) as f64
        })
        .collect();
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); clusters.len()];
    for row in 0..gram.len() {
        let mut best = (0, f64::INFINITY);
        for (place, (cluster, square)) in clusters.iter().zip(&squares).enumerate() {
            // The row's own square is the same for all.
            let distance = square - 2.0 * products(row, cluster);
            if distance < best.1 {
                best = (place, distance);
            }
        }
        if let Some(cluster) = found.get_mut(best.0) {
            cluster.push(row);
        }
    }
    for (cluster, start) in found.iter_mut().zip(starts) {
        if cluster.is_empty() {
            cluster.push(*start);
        }
    }
    found
}
