use crate::{commit_reveal, weights};

/// §8.3 (6): everything is looked at before anything is signed, and the reason has its name.
#[test]
fn users_6_refusals_are_named_before_signing() {
    weights::refusals_come_named_before_anything_is_signed();
}

/// §8.3 (6): sealed weights where the subnet asks for them, seen revealed afterwards, also by the
/// next life of the process.
#[test]
fn users_6_sealed_weights_are_confirmed_on_chain() {
    commit_reveal::sealed_weights_are_opened_by_the_chain_with_its_beacon_and_seen();
}

/// §9 commit-reveal: what the chain drops without a word is told, and committed again.
#[test]
fn pain_a_reveal_that_never_came_is_told() {
    commit_reveal::a_reveal_window_missed_is_told_and_committed_anew();
}
