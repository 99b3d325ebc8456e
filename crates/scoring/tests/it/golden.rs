//! Every vector recorded from the originals, or from `$ADIT_GOLDEN`, with a report.

use adit_testkit::GoldenSuite;

mod conversation;
mod curate;
mod focus;
mod inference_consensus;
mod inference_text;
mod long_context;
mod long_context_text;
mod omega;
mod weights;

#[test]
fn every_vector_of_the_originals() {
    let mut suite = GoldenSuite::new("adit-scoring");
    omega::register(&mut suite);
    focus::register(&mut suite);
    conversation::register(&mut suite);
    long_context_text::register(&mut suite);
    long_context::register(&mut suite);
    inference_text::register(&mut suite);
    inference_consensus::register(&mut suite);
    curate::register(&mut suite);
    weights::register(&mut suite);
    let report = suite.run(true).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}
