//! Policies as text: whatever is read back is written the same again.
#![no_main]

use adit_scoring::{
    audio::AudioPolicy, conversation::ConversationPolicy, focus::FocusPolicy,
    inference::InferencePolicy, long_context::LongContextPolicy, video::VideoPolicy,
};
use libfuzzer_sys::fuzz_target;

macro_rules! survives {
    ($text:expr, $($policy:ty),+) => {
        $(
            if let Ok(policy) = serde_json::from_str::<$policy>($text) {
                let written = serde_json::to_string(&policy).expect("a policy can be written");
                let read: $policy = serde_json::from_str(&written).expect("and read back");
                assert_eq!(read, policy);
            }
        )+
    };
}

fuzz_target!(|text: &str| {
    survives!(
        text,
        AudioPolicy,
        ConversationPolicy,
        FocusPolicy,
        InferencePolicy,
        LongContextPolicy,
        VideoPolicy
    );
});
