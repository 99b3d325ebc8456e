//! What the example shows is true.

#[path = "../../examples/score_a_batch.rs"]
mod score_a_batch;

#[test]
fn the_best_answer_of_each_batch_has_the_largest_weight() {
    for batch in score_a_batch::batches().unwrap() {
        let scores: Vec<f64> = batch.scores.iter().map(|(_, _, score)| *score).collect();
        let last = scores.len() - 1;
        let best = scores.iter().copied().fold(0.0, f64::max);
        assert!(scores[0] == best, "{}: {scores:?}", batch.family);
        assert!(
            scores[last] < scores[0] / 2.0,
            "{}: {scores:?}",
            batch.family
        );
        let first = batch.scores[0].0;
        assert!(
            batch.weights.pairs().contains(&(first, u16::MAX)),
            "{}",
            batch.family
        );
    }
    score_a_batch::main().unwrap();
}
