//! What the policies for long contexts promise, and each hardened difference.

use adit_scoring::{
    Error,
    long_context::{
        GenerationCheck, LongContextEvidence, LongContextPolicy, LongContextRefusal,
        benchmark::{BenchmarkFamily, MetricScores, ZeroScore},
        judge,
        leader::{LeadMargin, LeaderCandidate, select_leader},
        logits::GenerationRefusal,
        multiplier::{bucket_reward, length_weighted},
        reward::stepped_memory,
    },
    video::Standing,
};

fn right() -> LongContextEvidence {
    LongContextEvidence {
        answered_within_deadline: true,
        answered: true,
        context_tokens: 2_000_000,
        accuracy: Some(1.0),
        ..LongContextEvidence::default()
    }
}

fn hardened(evidence: &LongContextEvidence) -> f64 {
    judge(&LongContextPolicy::hardened(), evidence).score.get()
}

#[test]
fn a_policy_prints_all_its_constants() {
    for policy in [LongContextPolicy::hardened(), LongContextPolicy::original()] {
        policy.validate().unwrap();
        let printed = policy.to_string();
        assert!(printed.starts_with(policy.name()));
        let json = serde_json::to_value(&policy).unwrap();
        for name in json.as_object().unwrap().keys() {
            let found = printed.contains(&format!(" {name}="));
            assert!(found || name == "policy", "{name} is not in {printed}");
        }
        assert_eq!(
            serde_json::from_value::<LongContextPolicy>(json).unwrap(),
            policy
        );
    }
}

#[test]
fn unknown_names_are_refused_and_absent_ones_default() {
    let read = serde_json::from_str::<LongContextPolicy>;
    let slack = read(r#"{"policy":"long-context/hardened-1","needle_slack":3}"#).unwrap();
    assert!(slack.to_string().contains(" needle_slack=3 "));
    assert!(read(r#"{"policy":"long-context/hardened-1","needle_slacks":3}"#).is_err());
    assert!(read(r#"{"policy":"long-context/hardened-2"}"#).is_err());
    let empty = read(r#"{"policy":"long-context/original-1","multipliers":[]}"#).unwrap();
    assert!(matches!(empty.validate(), Err(Error::Empty { .. })));
    let weights = r#"{"policy":"long-context/original-1","reward":{"memory_weight":0.9}}"#;
    assert!(read(weights).unwrap().validate().is_err());
}

#[test]
fn measured_not_reported() {
    let boasting = LongContextEvidence {
        memory_retention: Some(10.0),
        accuracy: Some(0.0),
        ..right()
    };
    assert_eq!(
        judge(&LongContextPolicy::original(), &boasting).score.get(),
        1.0
    );
    // 0.15 of 0.75: retention counts as 1 at most, and the accuracy of 0 counts too.
    assert!((hardened(&boasting) - 0.2).abs() < 1e-12);
}

#[test]
fn missing_costs_itself() {
    assert_eq!(hardened(&right()), 1.0);
    let poisoned = LongContextEvidence {
        coherence: Some(f64::NAN),
        ..right()
    };
    assert_eq!(hardened(&poisoned), 1.0);
}

#[test]
fn own_failure_is_ours() {
    let unverifiable = LongContextEvidence {
        verification: GenerationCheck::OwnFailure,
        ..right()
    };
    let unmeasured = LongContextEvidence {
        accuracy: None,
        ..right()
    };
    for evidence in [unverifiable, unmeasured] {
        let verdict = judge(&LongContextPolicy::hardened(), &evidence);
        assert_eq!(
            (verdict.standing, verdict.refusal),
            (Standing::Pending, None)
        );
        assert_eq!(verdict.score.get(), 0.0);
    }
}

#[test]
fn linear_memory() {
    let score = |retention| {
        hardened(&LongContextEvidence {
            memory_retention: Some(retention),
            ..right()
        })
    };
    assert!(stepped_memory(0.800_001, 0.8) - stepped_memory(0.8, 0.8) > 0.2);
    assert!(score(0.800_001) - score(0.8) < 1e-6);
}

#[test]
fn length_never_saturates() {
    assert_eq!(
        bucket_reward(0.5, 2.0).unwrap(),
        bucket_reward(0.9, 2.0).unwrap()
    );
    assert!(length_weighted(0.5, 2.0, 2.0).unwrap() < length_weighted(0.9, 2.0, 2.0).unwrap());
    let at = |context_tokens| {
        hardened(&LongContextEvidence {
            context_tokens,
            ..right()
        })
    };
    assert!(at(32_000) < at(124_000) && at(124_000) < at(2_000_000));
    assert_eq!(at(0), at(32_000));
}

#[test]
fn zero_is_a_result() {
    let scores = MetricScores {
        multi_hop_reasoning: Some(0.0),
        f1: Some(0.8),
        ..MetricScores::default()
    };
    let family = BenchmarkFamily::HotpotQa;
    let primary = |zero| scores.evaluation_primary(family, zero).unwrap().unwrap();
    assert_eq!(primary(ZeroScore::FallsThrough), 0.8);
    assert_eq!(primary(ZeroScore::Counts), 0.0);
}

#[test]
fn relative_lead() {
    let candidate = |seconds_per_token, block| LeaderCandidate {
        seconds_per_token,
        verified: true,
        block,
    };
    let round = [candidate(0.009, 1), candidate(0.000_01, 2)];
    assert_eq!(select_leader(&round, LeadMargin::Seconds(0.01)), Some(0));
    assert_eq!(select_leader(&round, LeadMargin::Share(0.05)), Some(1));
}

#[test]
fn refusals_score_nothing_under_both_policies() {
    let late = LongContextEvidence {
        answered_within_deadline: false,
        ..right()
    };
    let silent = LongContextEvidence {
        answered: false,
        ..right()
    };
    let other = LongContextEvidence {
        verification: GenerationCheck::Refused {
            refusal: GenerationRefusal::TokensMissing,
        },
        ..right()
    };
    for policy in [LongContextPolicy::hardened(), LongContextPolicy::original()] {
        for (evidence, refusal) in [
            (late, LongContextRefusal::Late),
            (silent, LongContextRefusal::Empty),
            (other, LongContextRefusal::OtherModel),
        ] {
            let verdict = judge(&policy, &evidence);
            assert_eq!(verdict.refusal, Some(refusal), "{}", refusal.code());
            assert_eq!(
                (verdict.score.get(), verdict.standing),
                (0.0, Standing::Final)
            );
        }
    }
}
