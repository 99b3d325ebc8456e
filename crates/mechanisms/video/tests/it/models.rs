//! Which networks embed: what is refused, what ImageBind gives, and that tasks share passes.

use std::path::Path;

use adit_embedding::cosine;
use adit_mechanism_video::{Embedders, Error, ModelChoice, ModelSet};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::origin::recording;

fn imagebind(weights: Option<&Path>) -> ModelChoice {
    ModelChoice::on_cpu(ModelSet::Imagebind, Path::new("nowhere"), weights)
}

fn instance(seed: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    adit_testkit::write_imagebind(folder.path(), &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
    folder
}

async fn refusal(choice: &ModelChoice) -> Error {
    Embedders::load(choice).await.unwrap_err()
}

#[tokio::test]
async fn a_choice_that_contradicts_itself_is_refused_by_name() {
    let standard = ModelChoice::on_cpu(ModelSet::Standard, Path::new("nowhere"), None);
    let choices = [
        (imagebind(None), "weights is not set"),
        (
            ModelChoice {
                weights: Some("somewhere".into()),
                ..standard.clone()
            },
            "takes none",
        ),
        (
            ModelChoice {
                precision: "bf16".to_owned(),
                ..standard.clone()
            },
            "precision is for imagebind",
        ),
        (
            ModelChoice {
                device: "tpu".to_owned(),
                ..standard.clone()
            },
            "device: \"tpu\" is no device",
        ),
        (
            ModelChoice {
                precision: "f8".to_owned(),
                ..standard.clone()
            },
            "precision: \"f8\" is no precision",
        ),
    ];
    for (choice, reason) in choices {
        let error = refusal(&choice).await;
        assert!(matches!(error, Error::ModelChoice { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    for choice in [standard, imagebind(Some(Path::new("nowhere")))] {
        let error = refusal(&choice).await;
        assert!(
            matches!(&error, Error::Model { place, .. } if place == Path::new("nowhere")),
            "{error}"
        );
    }
    assert_eq!(
        "imagebind".parse::<ModelSet>().unwrap(),
        ModelSet::Imagebind
    );
    assert!("clip".parse::<ModelSet>().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn imagebind_has_one_space_and_other_weights_another() {
    let (weights, others) = (instance(1), instance(2));
    let embedders = Embedders::load(&imagebind(Some(weights.path())))
        .await
        .unwrap();
    let others = Embedders::load(&imagebind(Some(others.path())))
        .await
        .unwrap();
    let spaces = embedders.spaces();
    assert!(spaces.video.name().starts_with("imagebind-"), "{spaces:?}");
    assert_eq!(
        (&spaces.audio, &spaces.text),
        (&spaces.video, &spaces.video)
    );
    assert_ne!(others.spaces(), spaces);
    assert!(
        Embedders::standard_spaces()
            .unwrap()
            .require(&spaces)
            .is_err()
    );
    embedders.self_check().await.unwrap();

    // Many tasks at once, and the same again by one.
    let file = recording("bigbuckbunny.mp4");
    let clips = || (0..3).map(|at| embedders.clip(&file, at * 500, at * 500 + 1_500));
    let together = futures::future::join_all(clips()).await;
    let mut texts = Vec::new();
    for (at, (together, alone)) in together.into_iter().zip(clips()).enumerate() {
        let (together, alone) = (together.unwrap(), alone.await.unwrap());
        assert!(cosine(&together.video, &alone.video).unwrap() > 0.999_99);
        assert_eq!(together.video.space(), &spaces.video);
        assert_eq!(together.audio.is_some(), alone.audio.is_some());
        texts.push(embedders.texts(vec![format!("text {at}")]));
    }
    let texts = futures::future::join_all(texts).await;
    let texts: Vec<_> = texts.into_iter().flat_map(Result::unwrap).collect();
    // One space: a text can be compared with footage.
    let clip = embedders.clip(&file, 0, 1_500).await.unwrap();
    assert!(cosine(&texts[0], &clip.video).is_ok());
    let foreign = others.texts(vec!["text 0".to_owned()]).await.unwrap();
    assert!(cosine(&texts[0], &foreign[0]).is_err());
}
