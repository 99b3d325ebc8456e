//! Runtimes as they come, go and change.

use std::collections::BTreeMap;

use adit_chain::{Chain as _, Error, MetadataFault, client::Client};
use adit_primitives::{Block, Rao};
use scale_info::{Field, Path, PortableType, Type, TypeDefComposite};
use subxt::ext::frame_metadata::v16::{
    RuntimeMetadataV16, StorageEntryType, TransactionExtensionMetadata,
};

use crate::{
    devnet::{SUBNET, connect, key},
    faults::quick,
    node::{Fault, Node, NodeRuntime, number},
    scripted::subnet,
};

fn fetched(node: &Node) -> usize {
    let log = node.log();
    let params = log.iter().map(|(_, params)| &params[0]);
    params
        .filter(|name| *name == "Metadata_metadata_at_version")
        .count()
}

/// Adds a transaction extension to the end.
fn with_extension(metadata: &mut RuntimeMetadataV16, name: &str, type_of: &str) {
    let types = &metadata.types.types;
    let found = types.iter().find(|known| match type_of {
        "nothing" => {
            format!("{:?}", known.ty.type_def).contains("Tuple(TypeDefTuple { fields: [] })")
        }
        name => format!("{:?}", known.ty.type_def).contains(&format!("Primitive({name})")),
    });
    let id = found.unwrap().id;
    let nothing = types
        .iter()
        .find(|known| {
            format!("{:?}", known.ty.type_def).contains("Tuple(TypeDefTuple { fields: [] })")
        })
        .unwrap()
        .id;
    let extrinsic = &mut metadata.extrinsic;
    let place = u32::try_from(extrinsic.transaction_extensions.len()).unwrap();
    extrinsic
        .transaction_extensions
        .push(TransactionExtensionMetadata {
            identifier: name.to_owned(),
            ty: id.into(),
            implicit: nothing.into(),
        });
    for list in extrinsic.transaction_extensions_by_version.values_mut() {
        list.push(place.into());
    }
}

/// Puts a newtype around every number that a storage item of the subnet pallet holds, the way later
/// runtimes do: `TaoBalance(u64)` where there was `u64`.
pub(crate) fn wrap_numbers(metadata: &mut RuntimeMetadataV16) {
    let id_of = |metadata: &RuntimeMetadataV16, name: &str| {
        let mut types = metadata.types.types.iter();
        let same = |known: &&PortableType| {
            format!("{:?}", known.ty.type_def).contains(&format!("Primitive({name})"))
        };
        types.find(same).unwrap().id
    };
    let mut wrappers = Vec::new();
    for (name, wrapper) in [("U16", "NetUid"), ("U64", "TaoBalance")] {
        let inner = id_of(metadata, name);
        let id = u32::try_from(metadata.types.types.len()).unwrap();
        let field = Field::new(None, inner.into(), None, Vec::new());
        let ty = Type::new(
            Path::from_segments_unchecked([wrapper.to_owned()]),
            Vec::new(),
            TypeDefComposite::new([field]),
            Vec::new(),
        );
        metadata.types.types.push(PortableType { id, ty });
        wrappers.push((inner, id));
    }
    let pallet = metadata
        .pallets
        .iter_mut()
        .find(|pallet| pallet.name == "SubtensorModule");
    for entry in &mut pallet.unwrap().storage.as_mut().unwrap().entries {
        let types = match &mut entry.ty {
            StorageEntryType::Map { key, value, .. } => vec![key, value],
            StorageEntryType::Plain(value) => vec![value],
        };
        for id in types {
            let wrapper = wrappers.iter().find(|(inner, _)| *inner == id.id);
            if let Some((_, wrapper)) = wrapper {
                *id = (*wrapper).into();
            }
        }
    }
}

/// Gives a storage item of the subnet pallet the type of another one.
fn retype(metadata: &mut RuntimeMetadataV16, item: &str, like: &str) {
    let pallet = metadata
        .pallets
        .iter_mut()
        .find(|pallet| pallet.name == "SubtensorModule");
    let entries = &mut pallet.unwrap().storage.as_mut().unwrap().entries;
    let value_of = |entry: &StorageEntryType<_>| match entry {
        StorageEntryType::Map { value, .. } => *value,
        StorageEntryType::Plain(value) => *value,
    };
    let like = entries.iter().find(|entry| entry.name == like).unwrap();
    let (new, default) = (value_of(&like.ty), like.default.clone());
    let entry = entries.iter_mut().find(|entry| entry.name == item).unwrap();
    entry.default = default;
    match &mut entry.ty {
        StorageEntryType::Map { value, .. } | StorageEntryType::Plain(value) => *value = new,
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn an_upgrade_is_noticed_and_the_old_runtime_still_reads_old_blocks() {
    let node = Node::finney().await;
    subnet(&node, &["//one"]);
    let client = connect(&[node.url()]).await;
    assert_eq!(
        client.metagraph(SUBNET).await.unwrap().parameters.tempo,
        360
    );
    // The next runtime keeps tempo in 64 bits.
    node.upgrade(NodeRuntime::edited(366, |metadata| {
        retype(metadata, "Tempo", "Burn")
    }));
    node.set("SubtensorModule", "Tempo", [number(SUBNET.0)], 99_u64);
    node.block();
    assert_eq!(client.spec_version().await.unwrap(), 366);
    assert_eq!(client.metagraph(SUBNET).await.unwrap().parameters.tempo, 99);
    let before = client.pin_at(Block(1)).await.unwrap();
    assert_eq!(before.spec_version().await.unwrap(), 365);
    assert_eq!(
        before.metagraph(SUBNET).await.unwrap().parameters.tempo,
        360
    );
    assert_eq!(fetched(&node), 2, "each runtime's metadata once");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_kept_on_disk_and_damage_is_mended() {
    let node = Node::finney().await;
    subnet(&node, &["//one"]);
    let folder = tempfile::tempdir().unwrap();
    let mut options = quick();
    options.metadata_folder = Some(folder.path().join("metadata"));
    let read = async || {
        let client = Client::connect(&[node.url()], options.clone())
            .await
            .unwrap();
        client.metagraph(SUBNET).await.unwrap();
        fetched(&node)
    };
    assert_eq!(read().await, 1);
    assert_eq!(read().await, 1, "the second client finds it on disk");
    let files = std::fs::read_dir(folder.path().join("metadata")).unwrap();
    let files = files.map(|file| file.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(files.len(), 1, "{files:?}");
    std::fs::write(&files[0], b"rubbish").unwrap();
    assert_eq!(read().await, 2, "what is damaged is fetched again");
    assert_eq!(read().await, 2, "and kept again");
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn metadata_that_does_not_fit_is_fetched_once_more() {
    let node = Node::finney().await;
    subnet(&node, &["//one"]);
    let client = connect(&[node.url()]).await;
    client.metagraph(SUBNET).await.unwrap();
    // A development chain that changes its runtime and keeps the version.
    node.upgrade(NodeRuntime::edited(365, |metadata| {
        retype(metadata, "Tempo", "Active")
    }));
    node.set(
        "SubtensorModule",
        "Tempo",
        [number(SUBNET.0)],
        vec![true; 3],
    );
    node.block();
    let changed = client.metagraph(SUBNET).await.unwrap_err();
    let Error::TypeChanged { pallet, item, .. } = &changed else {
        panic!("{changed:?}")
    };
    assert_eq!(
        (pallet.as_str(), item.as_str()),
        ("SubtensorModule", "Tempo")
    );
    assert!(!changed.is_retryable());
    assert!(client.metagraph(SUBNET).await.is_err());
    assert_eq!(fetched(&node), 2, "once more and not at every read");
    // Everything that does not need it is still there.
    assert!(client.balance(key("//one").account()).await.is_ok());
}

async fn reading(metadata: BTreeMap<u32, Vec<u8>>) -> Result<u32, Error> {
    let mut runtime = NodeRuntime::finney();
    runtime.metadata = metadata;
    let node = Node::start(runtime, 0).await;
    let client = Client::connect(&[node.url()], quick()).await.unwrap();
    client.spec_version().await
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_is_cut_newer_or_older_is_named() {
    let good = NodeRuntime::finney().metadata[&16].clone();
    let half = good[..good.len() / 2].to_vec();
    let marked = |version: u8| {
        let mut bytes = good.clone();
        bytes[4] = version;
        bytes
    };
    let fault =
        async |metadata: &[(u32, Vec<u8>)]| match reading(metadata.iter().cloned().collect())
            .await
            .unwrap_err()
        {
            Error::Metadata {
                spec_version: 365,
                fault,
            } => fault,
            other => panic!("{other:?}"),
        };
    assert_eq!(fault(&[(16, half.clone())]).await, MetadataFault::Truncated);
    assert_eq!(
        fault(&[(17, marked(17))]).await,
        MetadataFault::TooNew { version: 17 }
    );
    // A runtime with version 12 only hands it out without being asked for a version.
    assert_eq!(
        fault(&[(12, marked(12))]).await,
        MetadataFault::TooOld { version: 12 }
    );
    assert_eq!(fault(&[(16, Vec::new())]).await, MetadataFault::NotMetadata);
    // Newer ones are passed over, and one that is broken makes way for the next.
    let offered = [(15, good.clone()), (16, half), (17, marked(17))];
    assert_eq!(reading(offered.into_iter().collect()).await.unwrap(), 365);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_choice_of_metadata_is_asked_the_old_way() {
    let node = Node::finney().await;
    node.fail("state_call", Fault::error(-32_000, "Execution failed"));
    let client = Client::connect(&[node.url()], quick()).await.unwrap();
    assert_eq!(client.spec_version().await.unwrap(), 365);
    assert_eq!(node.asked("state_getMetadata"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_extension_of_no_size_is_accepted_and_a_larger_one_refused_by_name() {
    let (alice, bob) = (key("//Alice"), key("//Bob"));
    let empty = NodeRuntime::edited(366, |metadata| {
        with_extension(metadata, "CheckPhaseOfMoon", "nothing");
    });
    let node = Node::start(empty, 0).await;
    node.block();
    let client = connect(&[node.url()]).await;
    client
        .transfer(bob.account(), Rao(1), &alice)
        .await
        .unwrap();

    let full = NodeRuntime::edited(367, |metadata| {
        with_extension(metadata, "CheckPhaseOfMoon", "U32");
    });
    let node = Node::start(full, 0).await;
    node.block();
    let client = connect(&[node.url()]).await;
    let refused = client
        .transfer(bob.account(), Rao(1), &alice)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Build { .. }), "{refused:?}");
    let mut text = refused.to_string();
    let mut source = std::error::Error::source(&refused);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(text.contains("CheckPhaseOfMoon"), "{text}");
    assert!(node.submitted().is_empty(), "nothing left");
}
