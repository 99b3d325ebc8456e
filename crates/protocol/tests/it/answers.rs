//! Which answers a caller believes.

use adit_protocol::{
    auth::AnswerRefused,
    client,
    status::{answer_refused, is_unsigned},
};
use tonic::{Code, Status};

use crate::{
    harness::{Bob, asking, key},
    impostor::{self, Lie},
};

async fn ask(lie: Lie) -> Result<String, Status> {
    let address = impostor::serve(lie).await;
    let (alice, bob) = (key("//Alice"), key("//Bob").hotkey());
    let channel = client::connect(address, alice, bob, Default::default())
        .await
        .unwrap();
    let answer = channel.video_miner().scrape(asking("owls")).await?;
    Ok(answer.into_inner().clips[0].description.clone())
}

#[tokio::test]
async fn an_honest_answer_is_believed() {
    assert_eq!(ask(Lie::None).await.unwrap(), "owls");
}

#[tokio::test]
async fn every_lie_has_its_name() {
    let other = AnswerRefused::OtherHotkey {
        expected: key("//Bob").hotkey(),
        found: key("//Charlie").hotkey(),
    };
    let malformed = |problem| AnswerRefused::Malformed { problem };
    for (lie, expected) in [
        (Lie::Unsigned, AnswerRefused::Unsigned),
        (Lie::OtherHotkey, other),
        (Lie::OthersKeyUnderTheName, AnswerRefused::BadSignature),
        (Lie::AnswerOfAnotherRequest, AnswerRefused::BadSignature),
        (Lie::OtherBody, AnswerRefused::BadSignature),
        (Lie::OtherStatus, AnswerRefused::BadSignature),
        (Lie::TwoSignatures, malformed("given more than once")),
        (Lie::UnknownScheme, malformed("neither sr25519 nor ed25519")),
    ] {
        let status = ask(lie).await.unwrap_err();
        assert_eq!(answer_refused(&status), Some(&expected), "{lie:?}");
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.message().starts_with(expected.reason()));
        assert!(!is_unsigned(&status));
    }
}

#[tokio::test]
async fn an_error_status_is_signed_too() {
    let bob = Bob::serve(Default::default()).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    let status = channel
        .video_miner()
        .scrape(asking("fail"))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "no such topic");
    assert!(!is_unsigned(&status) && answer_refused(&status).is_none());
}
