use std::{collections::BTreeMap, fs, path::Path};

use adit_embedding::{Embedding, Space, cosine};
use adit_storage::{ElementType, Error, ExactIndex, VectorIndex};
use proptest::prelude::*;

use crate::sample::vector;

fn space() -> Space {
    Space::new("index-v1", 20).unwrap()
}

fn open(folder: &Path, element: ElementType) -> Result<ExactIndex, Error> {
    ExactIndex::open(&folder.join("vectors"), space(), element)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_nearest_are_those_of_a_plain_search(
        batches in prop::collection::vec(prop::collection::vec((0_u8..12, 0_u64..40), 0..12), 0..5),
        query in 0_u64..60,
        k in 0_usize..8,
        half in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let element = if half { ElementType::F16 } else { ElementType::F32 };
        let tolerance = if half { 2e-3 } else { 1e-5 };
        let mut index = open(folder.path(), element).unwrap();
        let mut model = BTreeMap::new();
        for batch in batches {
            let batch: Vec<(String, Embedding)> =
                batch.into_iter().map(|(id, seed)| (format!("id-{id}"), vector(&space(), seed))).collect();
            let borrowed: Vec<(&str, &Embedding)> = batch.iter().map(|(id, vector)| (id.as_str(), vector)).collect();
            index.extend(&borrowed).unwrap();
            prop_assert_eq!(index.extend(&borrowed).unwrap(), 0, "the same again changes nothing");
            model.extend(batch.clone());
            prop_assert_eq!(index.len(), model.len());
            // Every other time it is closed and opened.
            if model.len() % 2 == 0 {
                drop(index);
                index = open(folder.path(), element).unwrap();
            }
        }
        let query = vector(&space(), query);
        let found = index.nearest(&query, k).unwrap();
        let mut expected: Vec<f32> = model.values().map(|held| cosine(&query, held).unwrap()).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        prop_assert_eq!(found.len(), k.min(model.len()));
        for (hit, expected) in found.iter().zip(expected) {
            prop_assert!((hit.cosine - expected).abs() < tolerance);
            prop_assert!((cosine(&query, &model[&hit.id]).unwrap() - hit.cosine).abs() < tolerance);
        }
    }
}

#[test]
fn many_threads_and_batches_find_the_same() {
    let space = Space::new("wide-v1", 256).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut index = ExactIndex::open(
        &folder.path().join("vectors"),
        space.clone(),
        ElementType::F32,
    )
    .unwrap();
    let held: Vec<(String, Embedding)> = (0..4000)
        .map(|seed| (format!("{seed}"), vector(&space, seed)))
        .collect();
    let borrowed: Vec<(&str, &Embedding)> = held
        .iter()
        .map(|(id, vector)| (id.as_str(), vector))
        .collect();
    assert_eq!(index.extend(&borrowed).unwrap(), 4000);
    let queries: Vec<Embedding> = (3990..4010).map(|seed| vector(&space, seed)).collect();
    let queries: Vec<&Embedding> = queries.iter().collect();
    let together = index.nearest_batch(&queries, 5).unwrap();
    for (query, hits) in queries.iter().zip(&together) {
        assert_eq!(&index.nearest(query, 5).unwrap(), hits);
    }
    assert_eq!(together[0][0].id, "3990");
    assert!((together[0][0].cosine - 1.0).abs() < 1e-5);
    assert!((index.recall() - 1.0).abs() < f64::EPSILON);
}

#[test]
fn other_spaces_types_and_second_owners_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut index = open(folder.path(), ElementType::F32).unwrap();
    let stranger = vector(&Space::new("other-v1", 20).unwrap(), 1);
    let own = vector(&space(), 1);
    assert!(matches!(
        index.upsert("a", &stranger),
        Err(Error::SpaceMismatch { .. })
    ));
    assert!(matches!(
        index.nearest(&stranger, 1),
        Err(Error::SpaceMismatch { .. })
    ));
    assert!(matches!(
        index.upsert("", &own),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        index.upsert(&"x".repeat(257), &own),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        index.extend(&[("a", &own), ("b", &stranger)]),
        Err(Error::SpaceMismatch { .. })
    ));
    assert!(index.is_empty(), "all or nothing");
    assert!(matches!(
        open(folder.path(), ElementType::F32),
        Err(Error::File { .. })
    ));
    drop(index);
    assert!(matches!(
        open(folder.path(), ElementType::F16),
        Err(Error::Corrupt { .. })
    ));
    let other = ExactIndex::open(
        &folder.path().join("vectors"),
        stranger.space().clone(),
        ElementType::F32,
    );
    assert!(matches!(other, Err(Error::SpaceMismatch { .. })));
}

#[test]
fn an_append_cut_off_anywhere_leaves_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ids) = (
        folder.path().join("vectors"),
        folder.path().join("vectors.ids"),
    );
    let mut index = open(folder.path(), ElementType::F32).unwrap();
    index.upsert("a", &vector(&space(), 1)).unwrap();
    let before = fs::read(&path).unwrap();
    index.upsert("b", &vector(&space(), 2)).unwrap();
    drop(index);
    let after = fs::read(&path).unwrap();
    let after_ids = fs::read(&ids).unwrap();
    // Rows and ids in any state of being written, the commit slot not yet.
    for cut in [0, 1, 40, 79, 80] {
        let mut torn = before.clone();
        torn.extend_from_slice(&after[before.len()..before.len() + cut]);
        fs::write(&path, &torn).unwrap();
        fs::write(&ids, &after_ids[..after_ids.len() - (cut % 3)]).unwrap();
        let mut index = open(folder.path(), ElementType::F32).unwrap();
        assert_eq!((index.len(), index.contains("b")), (1, false));
        assert!(index.upsert("c", &vector(&space(), 3)).unwrap());
        drop(index);
        let index = open(folder.path(), ElementType::F32).unwrap();
        assert!(index.contains("a") && index.contains("c") && index.len() == 2);
    }
}

#[test]
fn a_creation_cut_off_anywhere_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    drop(open(folder.path(), ElementType::F32).unwrap());
    let whole = fs::read(&path).unwrap();
    for cut in [0, 1, 8, 100, 512, 515, 540] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(
            open(folder.path(), ElementType::F32).unwrap().is_empty(),
            "cut at {cut}"
        );
    }
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ids) = (
        folder.path().join("vectors"),
        folder.path().join("vectors.ids"),
    );
    let mut index = open(folder.path(), ElementType::F16).unwrap();
    index.upsert("a", &vector(&space(), 1)).unwrap();
    index.upsert("b", &vector(&space(), 2)).unwrap();
    drop(index);
    let (good, good_ids) = (fs::read(&path).unwrap(), fs::read(&ids).unwrap());
    let corrupt = |reason: &str| {
        let opened = open(folder.path(), ElementType::F16);
        assert!(
            matches!(opened, Err(Error::Corrupt { .. })),
            "{reason}: {opened:?}"
        );
    };
    let flip = |bytes: &[u8], place: usize| {
        let mut bytes = bytes.to_vec();
        bytes[place] ^= 1;
        bytes
    };
    for place in [0, 8, 12, 4096, 4096 + 40] {
        fs::write(&path, flip(&good, place)).unwrap();
        corrupt(&format!("byte {place}"));
    }
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    corrupt("cut short");
    fs::write(&path, &good).unwrap();
    fs::write(&ids, flip(&good_ids, 2)).unwrap();
    corrupt("an id");
    fs::write(&ids, &good_ids[..4]).unwrap();
    corrupt("ids cut short");
    fs::write(&ids, &good_ids).unwrap();
    assert_eq!(open(folder.path(), ElementType::F16).unwrap().len(), 2);
}
