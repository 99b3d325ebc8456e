//! The Focus marketplace of the video system.

use std::collections::HashSet;

use adit_primitives::Rao;
use adit_scoring::{focus::*, video::original::OriginalRules};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::{Value, json};

pub(super) fn register(suite: &mut GoldenSuite) {
    score(suite);
    market(suite);
    money(suite);
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn evidence(input: &Value) -> RecordingEvidence {
    RecordingEvidence {
        duration_ms: input["duration_ms"].as_u64(),
        completion: float(&input["llm_completion_score"]),
        legitimate: input["legitimate"].as_bool(),
        video_uniqueness: float(&input["video_uniqueness"]),
        boost: float(&input["boost_multiplier"]),
        marketplace: input["bypass_checks"].as_bool().unwrap(),
    }
}

fn kinds(value: &Value) -> Vec<RecordingKind> {
    serde_json::from_value(value.clone()).unwrap()
}

fn score(suite: &mut GoldenSuite) {
    suite.on("omega", "focus_api.focus_score_video", |file, case| {
        let text = |value: &Value| (value[0].to_string(), value[1].to_string());
        let plain = |(title, description): &(String, String)| {
            let unquoted = |text: &str| serde_json::from_str::<String>(text).unwrap();
            (unquoted(title), unquoted(description))
        };
        let task = plain(&text(&case.input["task"]));
        let boosted = Some(&case.input["boosted_task"]).filter(|task| !task.is_null());
        let boosted = boosted.map(|task| plain(&text(task)));
        let overview = task_overview(
            (&task.0, &task.1),
            boosted
                .as_ref()
                .map(|(title, text)| (title.as_str(), text.as_str())),
        );
        let found = score_recording(&FocusPolicy::original(), &evidence(&case.input)).unwrap();
        let found = match found {
            Ok(score) => json!({
                "final_score": score.final_score,
                "completion": score.completion,
                "task_overview": overview,
            }),
            Err(refusal) => json!({"error": match refusal {
                RecordingRefusal::TooShort { .. } => "VideoTooShortError",
                RecordingRefusal::TooLong { .. } => "VideoTooLongError",
                RecordingRefusal::NotUnique { .. } => "VideoUniquenessError",
            }}),
        };
        Outcome::compare(file, case, &found)
    });
    suite.on("omega", "focus_api.focus_scoring_state", |file, case| {
        let policy = FocusPolicy::original();
        let marketplace = case.input["task_type"] == "MARKETPLACE";
        let outcome = score_recording(&policy, &evidence(&case.input)).unwrap();
        let found = json!({
            "state": policy.state_of(&outcome, marketplace),
            "success": outcome.is_ok(),
        });
        Outcome::compare(file, case, &found)
    });
    suite.on(
        "omega",
        "focus_api.get_video_duration_milliseconds",
        |file, case| {
            let recorded = case.input["real_focused_duration"].as_u64();
            let found = FocusPolicy::original().duration_ms(recorded).unwrap();
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on("omega", "focus_api.map_focus_video_state", |file, case| {
        let state: RecordingState = case.input["internal"].clone().into_state();
        Outcome::compare(file, case, &json!(state.public_name()))
    });
    suite.on(
        "omega",
        "focus_api.focus_uniqueness_from_top_match",
        |file, case| {
            let found = uniqueness_from_nearest(case.input["top_score"].as_f64()).unwrap();
            Outcome::compare(file, case, &real(found))
        },
    );
    suite.on(
        "omega",
        "focus_api.youtube_novelty_from_top_match",
        |file, case| {
            let found = novelty_from_nearest(case.input["top_score"].as_f64()).unwrap();
            Outcome::compare(file, case, &real(found))
        },
    );
    suite.on(
        "omega",
        "focus_api.api_compute_novelty_score",
        |file, case| {
            let vectors: Vec<Vec<f32>> =
                serde_json::from_value(case.input["video_embs"].clone()).unwrap();
            let global: Vec<f64> =
                serde_json::from_value(case.input["global_novelty"].clone()).unwrap();
            let found = aligned_novelty(&OriginalRules::default(), &vectors, &global).unwrap();
            Outcome::compare(file, case, &json!(found))
        },
    );
}

trait IntoState {
    fn into_state(self) -> RecordingState;
}

impl IntoState for Value {
    fn into_state(self) -> RecordingState {
        serde_json::from_value(self).unwrap()
    }
}

fn market(suite: &mut GoldenSuite) {
    suite.on(
        "omega",
        "focus_api.can_purchase_user_videos",
        |file, case| {
            let listed = case.input["marketplace_count"].as_u64().unwrap() as usize;
            let recent = kinds(&case.input["last_4_purchased_types"]);
            let found = may_list_user_recordings(&MarketRules::default(), listed, &recent);
            Outcome::compare(file, case, &json!(found))
        },
    );
    suite.on("omega", "focus_api.purchaseable_listing", |file, case| {
        let asked = std::cell::RefCell::new(Vec::new());
        let give = |letter: &str, available: &Value, limit: usize| -> Vec<String> {
            let most = available.as_u64().map_or(limit, |most| most as usize);
            (0..limit.min(most))
                .map(|index| format!("{letter}{index}"))
                .collect()
        };
        let input = &case.input;
        let locked: HashSet<String> = serde_json::from_value(input["locked"].clone()).unwrap();
        let mut found = listing(
            &MarketRules::default(),
            &kinds(&input["last_4_purchased_types"]),
            |limit| {
                asked.borrow_mut().push(json!(["mkt", limit]));
                give("m", &input["marketplace_available"], limit)
            },
            |limit| {
                asked.borrow_mut().push(json!(["user", limit]));
                give("u", &input["user_available"], limit)
            },
            || give("s", &input["subnet_available"], 10),
            |item| locked.contains(item),
        );
        found.sort();
        let found = json!({"limits_requested": asked.into_inner(), "listed_sorted": found});
        Outcome::compare(file, case, &found)
    });
    suite.on("omega", "focus_api.check_and_ban_miner", |file, case| {
        let in_a_row = case.input["failed_in_a_row"].as_u64().unwrap() as u32;
        let mut failures = PurchaseFailures { in_a_row };
        let ban = failures.take_ban(&MarketRules::default());
        let found = json!({
            "failed_after": failures.in_a_row,
            "banned": ban.is_some(),
            "ban_hours": ban.unwrap_or(0),
        });
        Outcome::compare(file, case, &found)
    });
}

fn money(suite: &mut GoldenSuite) {
    suite.on("omega", "focus_api.focus_emission_budget", |file, case| {
        let rates = EmissionRates {
            alpha_out_per_block: float(&case.input["alpha_out_emission_per_block"]),
            tao_in_per_block: float(&case.input["tao_in_emission_per_block"]),
            focus_share: float(&case.input["focus_rewards_percent"]),
        };
        let spent = float(&case.input["fixed_pool_alpha"]);
        let budget = EmissionBudget::new(&rates, spent).unwrap();
        let found = json!({
            "max_focus_alpha_per_day": budget.alpha_per_day,
            "max_focus_tao_per_day": budget.tao_per_day,
            "variable_reward_pool_alpha": budget.variable_pool_alpha,
            "points_available_today": budget.points_per_day,
        });
        Outcome::compare(file, case, &found)
    });
    suite.on(
        "omega",
        "focus_api.already_purchased_max_focus_tao",
        |file, case| {
            let amount = |name: &str| case.input[name].as_f64().unwrap_or(0.0);
            let found = purchase_cap_reached(
                amount("focus_tao_24h"),
                amount("subnet_tao_24h"),
                amount("max_focus_tao_per_day"),
            );
            Outcome::compare(file, case, &json!(found.unwrap()))
        },
    );
    suite.on("omega", "focus_api.miner_purchase_stats", |file, case| {
        let rows = ["focus", "subnet"].map(|kind| case.input[kind].as_array().unwrap());
        let rows = rows.into_iter().flatten();
        let shares = purchase_shares(rows.map(|row| (row[0].as_str(), row[1].as_f64()))).unwrap();
        let found: serde_json::Map<String, Value> = shares
            .into_iter()
            .map(|(hotkey, share)| {
                let fields = json!({
                    "total_focus_points": share.spent,
                    "max_focus_points": share.total,
                    "focus_points_percentage": share.share,
                });
                (hotkey.to_owned(), fields)
            })
            .collect();
        Outcome::compare(file, case, &Value::Object(found))
    });
    suite.on("omega", "focus_api.check_payment", |file, case| {
        let rao = |value: &Value| Rao((float(value) * 1e9).round() as u64);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let transfers: Vec<Transfer> = case.input["transfers_in_scan_order"]
            .as_array()
            .unwrap()
            .iter()
            .map(|transfer| Transfer {
                extrinsic: text(&transfer["extrinsicId"]),
                from: text(&transfer["from"]),
                to: text(&transfer["to"]),
                amount: rao(&transfer["amount"]),
                block: 0,
                succeeded: None,
                is_final: false,
            })
            .collect();
        let used: HashSet<String> =
            serde_json::from_value(case.input["already_used_extrinsics"].clone()).unwrap();
        let found = find_payment(
            &FocusPolicy::original().payment,
            &transfers,
            &text(&case.input["sender"]),
            &text(&case.input["recipient"]),
            rao(&case.input["amount_tao"]),
            0,
            &used,
        );
        let found = found.map(|transfer| &transfer.extrinsic);
        Outcome::compare(file, case, &json!(found))
    });
    suite.on("omega", "focus_api.transfers_from_block", |file, case| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let extrinsics: Vec<BlockExtrinsic> = case.input["extrinsics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|extrinsic| {
                let call = &extrinsic["call"];
                BlockExtrinsic {
                    hash: text(&extrinsic["extrinsic_hash"]).unwrap(),
                    signer: text(&extrinsic["address"]),
                    pallet: text(&call["call_module"]).unwrap_or_default(),
                    call: text(&call["call_function"]).unwrap_or_default(),
                    recipient: text(&call["call_args"][0]["value"]),
                    amount: call["call_args"][1]["value"].as_u64().map(Rao),
                    succeeded: None,
                }
            })
            .collect();
        let block = case.input["block_number"].as_u64().unwrap();
        let wallet = case.input["wallet"].as_str().unwrap();
        let found = transfers_of(wallet, block, false, &extrinsics);
        let found: Vec<Value> = found
            .iter()
            .map(|transfer| {
                json!({
                    "id": transfer.extrinsic,
                    "from": transfer.from,
                    "to": transfer.to,
                    "amount": transfer.amount.0 as f64 / 1e9,
                    "extrinsicId": transfer.extrinsic,
                    "blockNumber": transfer.block,
                })
            })
            .collect();
        Outcome::compare(file, case, &Value::Array(found))
    });
}
