use codec::Decode as _;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use subxt::rpcs::rpc_params;

use crate::harness::{Chain, config};

#[tokio::test(flavor = "multi_thread")]
async fn versions_14_15_and_16_decode() {
    let chain = Chain::start(config()).await;
    let call = async |name: &str, argument: String| -> Vec<u8> {
        let params = rpc_params![name, argument];
        let answer: String = chain.rpc.request("state_call", params).await.unwrap();
        hex::decode(answer.trim_start_matches("0x")).unwrap()
    };
    let versions = call("Metadata_metadata_versions", String::new()).await;
    let versions = Vec::<u32>::decode(&mut versions.as_slice()).unwrap();
    for version in [14, 15, 16] {
        assert!(versions.contains(&version), "{versions:?}");
        let argument = hex::encode(u32::to_le_bytes(version));
        let answer = call("Metadata_metadata_at_version", argument).await;
        let bytes = Option::<Vec<u8>>::decode(&mut answer.as_slice()).unwrap();
        let metadata = RuntimeMetadataPrefixed::decode(&mut bytes.unwrap().as_slice()).unwrap();
        assert_eq!(metadata.1.version(), version);
        let RuntimeMetadata::V16(metadata) = metadata.1 else {
            continue;
        };
        let index = |name: &str| {
            let pallet = metadata.pallets.iter().find(|pallet| pallet.name == name);
            pallet.map(|pallet| pallet.index)
        };
        assert_eq!(index("SubtensorModule"), Some(7));
        assert_eq!(index("Balances"), Some(5));
        assert!(
            metadata
                .apis
                .iter()
                .any(|api| api.name == "AccountNonceApi")
        );
    }
    chain.devnet.shutdown().await;
}
