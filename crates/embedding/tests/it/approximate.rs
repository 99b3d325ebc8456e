//! The graph of near neighbours: what it finds, keeps and refuses.

use adit_embedding::{
    Embedding, Error, Space,
    nearest::{ApproximateIndex, GraphSettings, RowSlice, nearest},
};

const DIMENSION: usize = 48;

fn space() -> Space {
    Space::new("graph-v1", DIMENSION).unwrap()
}

fn vectors(count: usize, mut state: u64) -> Vec<Embedding> {
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count)
        .map(|_| Embedding::new(space(), (0..DIMENSION).map(|_| next()).collect()).unwrap())
        .collect()
}

fn index(held: &[Embedding], settings: GraphSettings) -> ApproximateIndex {
    let mut index = ApproximateIndex::new(space(), settings).unwrap();
    let numbered: Vec<(u64, &Embedding)> = (0..).zip(held).collect();
    for part in numbered.chunks(700) {
        index.extend(part).unwrap();
    }
    assert_eq!(index.len(), held.len());
    index
}

#[test]
fn finds_nearly_all_of_the_nearest() {
    let held = vectors(3_000, 1);
    let rows: Vec<f32> = held
        .iter()
        .flat_map(|vector| vector.values())
        .copied()
        .collect();
    for half_precision in [false, true] {
        let settings = GraphSettings {
            half_precision,
            expansion_search: 200,
            ..GraphSettings::default()
        };
        let index = index(&held, settings);
        let mut found_of = 0;
        for query in &vectors(50, 2) {
            let exact = nearest(query.values(), RowSlice::F32(&rows), 10, 1).unwrap();
            let found = index.nearest(query, 10).unwrap();
            assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            for one in exact {
                let same = found
                    .iter()
                    .find(|(number, _)| *number == u64::from(one.row));
                if let Some((_, cosine)) = same {
                    assert!((cosine - one.similarity).abs() < 1e-2);
                    found_of += 1;
                }
            }
        }
        assert!(found_of >= 475, "{found_of} of 500");
    }
}

#[test]
fn replaces_removes_and_refuses() {
    let held = vectors(10, 3);
    let mut index = index(&held, GraphSettings::default());
    index.extend(&[(3, &held[7])]).unwrap();
    assert_eq!(index.len(), 10);
    let found = index.nearest(&held[7], 2).unwrap();
    let mut numbers = [found[0].0, found[1].0];
    numbers.sort_unstable();
    assert_eq!(numbers, [3, 7]);
    assert!(index.remove(3).unwrap());
    assert!(!index.remove(3).unwrap());
    assert_eq!(index.nearest(&held[7], 100).unwrap().len(), 9);
    assert_eq!(index.nearest(&held[7], 0).unwrap(), []);
    let other = Embedding::new(
        Space::new("other-v1", DIMENSION).unwrap(),
        vec![1.0; DIMENSION],
    );
    let other = other.unwrap();
    assert!(matches!(
        index.nearest(&other, 1),
        Err(Error::SpaceMismatch { .. })
    ));
    assert!(matches!(
        index.extend(&[(1, &other)]),
        Err(Error::SpaceMismatch { .. })
    ));
    let empty = ApproximateIndex::new(space(), GraphSettings::default()).unwrap();
    assert_eq!(empty.nearest(&held[0], 3).unwrap(), []);
}

#[test]
fn survives_its_file() {
    let held = vectors(200, 4);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph");
    let index = index(&held, GraphSettings::default());
    index.save(&path).unwrap();
    let mut loaded = ApproximateIndex::load(&path, space(), GraphSettings::default()).unwrap();
    let found = loaded.nearest(&held[5], 5).unwrap();
    assert_eq!(found, index.nearest(&held[5], 5).unwrap());
    loaded.extend(&[(1_000, &held[5])]).unwrap();
    assert_eq!(loaded.len(), 201);
    let narrow = Space::new("graph-v1", DIMENSION - 1).unwrap();
    for (path, space) in [(path, narrow), (folder.path().join("none"), space())] {
        let refused = ApproximateIndex::load(&path, space, GraphSettings::default());
        assert!(matches!(refused, Err(Error::Index { .. })));
    }
    let junk = folder.path().join("junk");
    std::fs::write(
        &junk,
        b"not an index at all, but long enough to have a header of sixty-four bytes",
    )
    .unwrap();
    assert!(ApproximateIndex::load(&junk, space(), GraphSettings::default()).is_err());
}
