use subxt::dynamic::{self, Value};

use crate::harness::{Chain, NETUID, number, still};

/// What a runtime API answers, as text.
async fn ask(chain: &Chain, api: &str, method: &str, arguments: Vec<Value>) -> Value {
    let at = chain.client.at_current_block().await.unwrap();
    let payload = dynamic::runtime_api_call::<Vec<Value>, Value>(api, method, arguments);
    at.runtime_apis().call(payload).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_can_be_full_from_genesis_and_its_metagraph_read() {
    let mut config = still();
    config.subnets[0].neurons = 16;
    let chain = Chain::start(config).await;
    chain.next_epoch().await;
    let subnet = "SubnetInfoRuntimeApi";
    let graph = ask(&chain, subnet, "get_metagraph", vec![number(NETUID)]).await;
    let text = graph.to_string();
    assert!(text.contains("num_uids: 16"), "{text}");
    assert!(text.contains("port: 8091"), "{text}");
    let incentive: Vec<u16> = chain.read("Incentive", vec![number(NETUID)]).await;
    assert!(
        incentive[15] > incentive[4] && incentive[0] == 0,
        "{incentive:?}"
    );

    let wanted = Value::unnamed_composite([30, 52, 999].map(|index| number(index as u64)));
    let arguments = vec![number(NETUID), wanted];
    let parts = ask(&chain, subnet, "get_selective_metagraph", arguments).await;
    let parts = parts.to_string();
    assert!(parts.contains("num_uids: Some (16)"), "{parts}");
    assert!(parts.contains("coldkeys: None"), "{parts}");

    let neurons = "NeuronInfoRuntimeApi";
    for (api, method, arguments) in [
        (neurons, "get_neurons", vec![number(NETUID)]),
        (neurons, "get_neurons_lite", vec![number(NETUID)]),
        (
            neurons,
            "get_neuron_lite",
            vec![number(NETUID), number(3_u16)],
        ),
        (neurons, "get_neuron", vec![number(NETUID), number(3_u16)]),
        (
            subnet,
            "get_mechagraph",
            vec![number(NETUID), number(0_u16)],
        ),
        (subnet, "get_subnet_state", vec![number(NETUID)]),
        (subnet, "get_dynamic_info", vec![number(NETUID)]),
        (subnet, "get_subnets_info", vec![]),
        (subnet, "get_subnets_info_v2", vec![]),
        (subnet, "get_subnet_hyperparams", vec![number(NETUID)]),
        (subnet, "get_subnet_hyperparams_v2", vec![number(NETUID)]),
        (subnet, "get_subnet_hyperparams_v3", vec![number(NETUID)]),
        (subnet, "get_all_mechagraphs", vec![]),
    ] {
        let answer = ask(&chain, api, method, arguments).await.to_string();
        assert!(answer.len() > 60, "{method}: {answer}");
    }
    let none = ask(&chain, subnet, "get_metagraph", vec![number(99_u16)]).await;
    assert!(none.to_string().starts_with("None"), "{none}");
    chain.devnet.shutdown().await;
}
