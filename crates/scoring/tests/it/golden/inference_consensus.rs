//! The consensus half of the inference system: similarities, outliers, clusters, emissions.

use adit_scoring::inference::{
    SimilarityMatrix, average_linkage, dominant_cluster, local_outlier_factors,
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, real};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) fn register(suite: &mut GoldenSuite) {
    let mut on = |function: &str, answer: fn(&GoldenCase) -> Value| {
        suite.on("loosh", function, move |file, case| {
            Outcome::compare(file, case, &answer(case))
        });
    };
    on("cosine_matrix", cosine_matrix);
    on("lof_outliers", lof_outliers);
    on("cluster_filter", cluster_filter);
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap()
}

fn embeddings(case: &GoldenCase) -> Vec<Vec<f64>> {
    read(&case.input["embeddings"])
}

fn reals(numbers: &[f64]) -> Value {
    numbers.iter().map(|number| real(*number)).collect()
}

fn cosine_matrix(case: &GoldenCase) -> Value {
    let matrix = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    json!({"matrix": matrix.rows().map(reals).collect::<Value>()})
}

fn lof_outliers(case: &GoldenCase) -> Value {
    let factors = local_outlier_factors(&embeddings(case), 2).unwrap();
    let negated: Vec<f64> = factors.iter().map(|factor| -factor).collect();
    let outliers: Vec<bool> = factors.iter().map(|factor| *factor > 1.5).collect();
    json!({"negative_outlier_factor": reals(&negated), "is_outlier": outliers})
}

fn cluster_filter(case: &GoldenCase) -> Value {
    let matrix = SimilarityMatrix::cosines(&embeddings(case)).unwrap();
    let weights: Option<Vec<f64>> = read(&case.input["entity_weights"]);
    let tree = average_linkage(matrix.len(), |first, second| {
        1.0 - matrix.get(first, second).unwrap()
    });
    let labels = tree.unwrap().cut(0.5);
    let kept = dominant_cluster(&labels, weights.as_deref()).unwrap();
    let clusters = labels.iter().max().map_or(0, |last| last + 1);
    let mut partition = vec![Vec::new(); clusters];
    for (answer, label) in labels.iter().enumerate() {
        partition[*label].push(answer);
    }
    let weight = |cluster: &Vec<usize>| match &weights {
        Some(weights) => cluster.iter().map(|answer| weights[*answer]).sum(),
        None => cluster.len() as f64,
    };
    let sums: Vec<f64> = partition.iter().map(weight).collect();
    let most = sums.iter().copied().fold(0.0, f64::max);
    let tie = sums.iter().filter(|sum| **sum == most).count() > 1;
    partition.sort();
    json!({"sklearn_labels": labels, "partition": partition, "kept_indices": kept, "tie": tie})
}
