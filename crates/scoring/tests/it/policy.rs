use adit_scoring::{Error, video::VideoPolicy};

#[test]
fn a_policy_prints_all_its_constants() {
    for policy in [VideoPolicy::hardened(), VideoPolicy::original()] {
        let printed = policy.to_string();
        assert!(printed.starts_with(policy.name()));
        let json = serde_json::to_value(&policy).unwrap();
        for (name, value) in json.as_object().unwrap() {
            if name != "policy" {
                assert!(
                    printed.contains(&format!(" {name}=")),
                    "{name}={value} is not in {printed}"
                );
            }
        }
    }
}

#[test]
fn unknown_names_are_refused_and_absent_ones_default() {
    let read = serde_json::from_str::<VideoPolicy>;
    let sampled = read(r#"{"policy":"video/hardened-1","sample_share":0.5}"#).unwrap();
    let VideoPolicy::Hardened(rules) = &sampled else {
        panic!("another policy: {sampled}");
    };
    assert_eq!((rules.sample_share, rules.video_match), (0.5, 0.95));
    assert!(read(r#"{"policy":"video/hardened-2"}"#).is_err());
    assert!(read(r#"{"policy":"video/hardened-1","sample_shares":0.5}"#).is_err());
    assert!(read("{}").is_err());
}

#[test]
fn constants_out_of_range_are_named() {
    assert!(VideoPolicy::hardened().validate().is_ok());
    assert!(VideoPolicy::original().validate().is_ok());
    let VideoPolicy::Hardened(mut rules) = VideoPolicy::hardened() else {
        panic!("the default is hardened");
    };
    rules.video_match = f64::NAN;
    let refused = VideoPolicy::Hardened(rules.clone()).validate();
    assert!(matches!(
        refused,
        Err(Error::Constant {
            name: "video_match",
            ..
        })
    ));
    rules.video_match = 0.9;
    rules.sample_share = 1.5;
    assert!(VideoPolicy::Hardened(rules).validate().is_err());
}
