//! The facade: its example runs, and its names lead where they should.

#[expect(dead_code, reason = "only the example itself starts at its `main`")]
#[path = "../../examples/own_mechanism.rs"]
mod own_mechanism;

#[test]
fn the_example_pays_by_what_was_found() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut averages = runtime.block_on(own_mechanism::run()).unwrap();
    averages.sort_by_key(|average| average.uid);
    let [thorough, hasty, lazy] = &averages[..] else {
        panic!("three miners were asked, but {averages:?}");
    };
    // 1 - 0.7^5: everything it could earn in five rounds.
    assert!((thorough.value - 0.831_93).abs() < 1e-9);
    assert!(thorough.value > hasty.value && hasty.value > lazy.value && lazy.value > 0.0);
}

#[test]
fn the_prelude_names_what_the_crates_define() {
    use adit::prelude::*;

    fn takes_all<C: Chain, M: Mechanism, W: Worker, T: Clock>() {}
    let _: fn() = takes_all::<
        adit::chain::testing::FakeChain,
        own_mechanism::Factoring,
        own_mechanism::Factoriser,
        adit::primitives::SystemClock,
    >;
    assert_eq!(
        std::any::type_name::<Score>(),
        std::any::type_name::<adit::primitives::Score>()
    );
}
