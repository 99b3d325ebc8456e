use adit_scoring::curation::{
    clusters::k_means,
    duplicates::{
        DuplicatePolicy, DuplicateReport, centre_distances, find_duplicates,
        find_ranked_duplicates, unit_rows,
    },
    minhash::{HashWidth, bucket_edges, content_name, hash_bands, hash_permutations},
};
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance, difference};
use serde_json::{Map, Value, json};

use super::{exactly, number, whole};

/// Scores nearer than this may come in either order, by the files' rule.
const MARGIN: f64 = 1e-4;

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on("curate", "semdedup.curate_cluster", |_, case| cluster(case));
    suite.on("curate", "semdedup.nemo_pairwise", |_, case| pairwise(case));
    suite.on("curate", "semdedup.kmeans_reference", |_, case| {
        clusters(case)
    });
    suite.on("curate", "semdedup.eps_tag", |_, case| {
        exactly(
            case,
            Ok(json!(DuplicatePolicy::summary_name(number(case, "eps")))),
        )
    });
    suite.on("curate", "nemo.minhash_seeds", |_, case| {
        let width = match whole(case, "bit_width") {
            32 => HashWidth::Bits32,
            _ => HashWidth::Bits64,
        };
        let (seed, count) = (
            whole(case, "seed") as u32,
            whole(case, "n_permutations") as usize,
        );
        let told = hash_permutations(seed, count, width).map(|drawn| {
            let pairs = drawn
                .iter()
                .map(|drawn| json!([drawn.factor, drawn.offset]));
            pairs.collect()
        });
        exactly(case, told)
    });
    suite.on("curate", "nemo.lsh_bands_edges", |_, case| {
        let bucket: Vec<u64> = serde_json::from_value(case.input["bucket"].clone()).unwrap();
        let bands = hash_bands(
            whole(case, "num_bands") as usize,
            whole(case, "rows") as usize,
        );
        let told = bands.map(|bands| {
            let bands: Vec<Vec<usize>> = bands.into_iter().map(Iterator::collect).collect();
            json!({ "bands": bands, "edges": bucket_edges(&bucket).collect::<Vec<_>>() })
        });
        exactly(case, told)
    });
    suite.on("curate", "nemo.deterministic_hash", |_, case| {
        let paths: Vec<String> = serde_json::from_value(case.input["inputs"].clone()).unwrap();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let name = content_name(&paths, case.input["seed"].as_str().unwrap());
        exactly(case, Ok(json!(name)))
    });
}

fn rows(value: &Value) -> (Vec<f32>, usize) {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
    let dimension = rows.first().map_or(1, Vec::len);
    (rows.concat(), dimension)
}

/// Compares scores, and nearest vectors where the best earlier cosine stands out.
fn scores(
    report: &DuplicateReport,
    units: &[f32],
    dimension: usize,
    least: f64,
    expected: &Value,
    nearest: &str,
    name: impl Fn(usize) -> Value,
) -> Result<(), String> {
    let told = json!(report.score);
    if let Some(why) = difference(&told, &expected["score"], Tolerance::absolute(2e-5)) {
        return Err(format!("scores: {why}"));
    }
    let row = |place: usize| &units[place * dimension..(place + 1) * dimension];
    for (rank, &place) in report.order.iter().enumerate() {
        let cosine = |other: &usize| -> f64 {
            let pairs = row(*other).iter().zip(row(place));
            pairs
                .map(|(one, other)| f64::from(*one) * f64::from(*other))
                .sum()
        };
        let mut cosines: Vec<f64> = report.order[..rank].iter().map(cosine).collect();
        cosines.push(least);
        cosines.sort_by(|one, other| other.total_cmp(one));
        let stands_out = cosines
            .first()
            .zip(cosines.get(1))
            .is_none_or(|(a, b)| a - b > MARGIN);
        if stands_out && expected[nearest][rank] != name(report.nearest[rank]) {
            return Err(format!(
                "the nearest of rank {rank} is {}",
                name(report.nearest[rank])
            ));
        }
    }
    Ok(())
}

fn cluster(case: &GoldenCase) -> Outcome {
    let ids: Vec<String> = serde_json::from_value(case.input["ids"].clone()).unwrap();
    let (vectors, dimension) = rows(&case.input["embeddings"]);
    let centre: Vec<f32> = serde_json::from_value(case.input["centroid"].clone()).unwrap();
    let expected = &case.expected["ok"];
    let units = unit_rows(&vectors, dimension).unwrap();
    let distances = centre_distances(&units, &centre).unwrap();
    let told = json!(distances);
    let tolerance = Tolerance::absolute(2e-5);
    if let Some(why) = difference(&told, &expected["cosine_dist_to_cent"], tolerance) {
        return Outcome::Failed(format!("distances: {why}"));
    }
    let find = |policy: &DuplicatePolicy| find_duplicates(policy, &vectors, dimension, &centre);
    let report = find(&DuplicatePolicy::original()).unwrap();
    let order: Vec<&String> = report.order.iter().map(|place| &ids[*place]).collect();
    if json!(order) != expected["order"] {
        return Outcome::Failed(format!("the order is {order:?}"));
    }
    let name = |place: usize| json!(ids[place]);
    if let Err(why) = scores(&report, &units, dimension, -1.0, expected, "max_id", name) {
        return Outcome::Failed(why);
    }
    let (mut stats, mut removed) = (Map::new(), Map::new());
    for tag in expected["stats"].as_object().unwrap().keys() {
        let policy = |policy: DuplicatePolicy| DuplicatePolicy {
            epsilon: tag.parse().unwrap(),
            score_least: -1.0,
            ..policy
        };
        let kept = find(&policy(DuplicatePolicy::original()))
            .unwrap()
            .kept()
            .count();
        stats.insert(tag.clone(), json!({ "kept": kept, "total": ids.len() }));
        // Sharding drops what is exactly at the bound, as NeMo does.
        let report = find(&policy(DuplicatePolicy::original_nemo())).unwrap();
        let dropped = report.order.iter().zip(&report.duplicate);
        let mut dropped: Vec<&String> = dropped
            .filter_map(|(place, duplicate)| duplicate.then_some(&ids[*place]))
            .collect();
        dropped.sort();
        removed.insert(tag.clone(), json!(dropped));
    }
    if Value::Object(stats.clone()) != expected["stats"] {
        return Outcome::Failed(format!("kept: {stats:?}"));
    }
    let sorted = |removed: &Value| {
        let mut ids: Vec<String> = serde_json::from_value(removed.clone()).unwrap();
        ids.sort();
        json!(ids)
    };
    let expected = expected["shard_removed"].as_object().unwrap();
    let expected: Map<_, _> = expected
        .iter()
        .map(|(tag, ids)| (tag.clone(), sorted(ids)))
        .collect();
    Outcome::when(removed == expected, format!("removed: {removed:?}"))
}

fn pairwise(case: &GoldenCase) -> Outcome {
    let (units, dimension) = rows(&case.input["embeddings"]);
    let report =
        find_ranked_duplicates(&DuplicatePolicy::original_nemo(), &units, dimension).unwrap();
    let expected = &case.expected["ok"];
    let name = |place: usize| json!(place);
    match scores(&report, &units, dimension, 0.0, expected, "idx", |place| {
        name(place)
    }) {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

fn clusters(case: &GoldenCase) -> Outcome {
    let (vectors, dimension) = rows(&case.input["X"]);
    let units = unit_rows(&vectors, dimension).unwrap();
    let centres = &units[..whole(case, "k") as usize * dimension];
    let found = k_means(&units, centres, dimension, whole(case, "max_iter") as usize).unwrap();
    let expected = &case.expected["ok"];
    if json!(found.labels) != expected["labels"] {
        return Outcome::Failed(format!("labels: {:?}", found.labels));
    }
    let centres: Vec<_> = found.centres.chunks(dimension).collect();
    let told = json!(centres);
    if let Some(why) = difference(&told, &expected["centers"], Tolerance::absolute(1e-4)) {
        return Outcome::Failed(format!("centres: {why}"));
    }
    let tolerance = Tolerance {
        abs: 0.0,
        rel: 1e-4,
    };
    let inertia = expected["inertia"].as_f64().unwrap();
    if !tolerance.accepts(found.inertia, inertia) {
        return Outcome::Failed(format!("inertia: {}", found.inertia));
    }
    let rounds = expected["n_iter"].as_u64();
    Outcome::when(
        rounds == Some(found.rounds as u64),
        format!("{} rounds", found.rounds),
    )
}
