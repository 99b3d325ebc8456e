"""Weights for 256 uids, from scores to a signed extrinsic, with the field's SDK and its Rust core: the
peer of benches/chain.rs.

    python -m venv v11 && v11/bin/pip install bittensor==11.3.0
    cargo run -p adit-devnet-bin &
    v11/bin/python benches/peers/chain.py http://127.0.0.1:9944

The core reads no metadata V16, which finney's file here is, so the devnet's V15 stands in: smaller,
with the same calls. Prints medians of many runs in microseconds.
"""

import json
import random
import statistics
import sys
import time
import urllib.request

import bittensor_core
from bittensor.intents import weights

NEURONS = 256
URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9944"


def ask(method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    request = urllib.request.Request(
        URL, body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["result"]


def metadata():
    answer = ask("state_call", "Metadata_metadata_at_version", "0x0f000000")
    found = bytes.fromhex(answer.removeprefix("0x"))
    assert found[0] == 1, "the node offers no V15"
    prefix = (1, 2, 4, 5)[found[1] & 3]
    return found[1 + prefix :]


def microseconds(run, rounds=500):
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


runtime = bittensor_core.Runtime(metadata(), 393, 1)
alice = bittensor_core.Keypair.create_from_uri("//Alice")
source = random.Random(1)
uids = list(range(NEURONS))
scores = [source.random() ** 4 for _ in uids]
preflight = weights._Preflight(0, False, 1, 65_535)
block_hash = bytes([7]) * 32
era = {"period": 64, "current": 6_543_210}


def quantise():
    return weights._conform(uids, scores, preflight, 1)


def compose(row):
    arguments = {"netuid": 1, "dests": row[0], "weights": row[1], "version_key": 0}
    return runtime.compose_call("SubtensorModule", "set_weights", arguments)


def sign(call):
    terms = {"era": era, "nonce": 41, "tip": 0, "tip_asset_id": None}
    payload = runtime.signature_payload(
        call, genesis_hash=block_hash, era_block_hash=block_hash, **terms
    )
    return runtime.encode_signed_extrinsic(
        call,
        public_key=alice.public_key,
        signature=alice.sign(payload),
        signature_version=1,
        **terms,
    )


row = quantise()
call = compose(row)
print(f"scores to signed extrinsic: {microseconds(lambda: sign(compose(quantise()))):.0f}")
print(f"quantise: {microseconds(quantise):.0f}")
print(f"encode the call: {microseconds(lambda: compose(row)):.0f}")
print(f"sign: {microseconds(lambda: sign(call)):.0f}")
