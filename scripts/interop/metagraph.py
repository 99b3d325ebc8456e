"""Compares a metagraph as the installed bittensor SDK reads it with what our example prints.

    metagraph.py ADDRESS EXAMPLE

ADDRESS is a devnet's host:port, started with --faults; EXAMPLE the program of
crates/chain/examples/metagraph.rs. Stops the chain between two epochs, so that everybody reads the
same block. Exit code 1 when anything differs.
"""

import json
import subprocess
import sys
import time
import urllib.request
from decimal import Decimal

NETUID = 1
# Past the first epoch, so that there is something to compare.
READY = 25


def call(address, method, *params):
    """One JSON-RPC call over HTTP."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(
        f"http://{address}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer = json.load(answer)
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']}")
    return answer["result"]


def of_python(address):
    """(block, rows) as the SDK reads them."""
    import bittensor as bt

    url = f"ws://{address}"
    if int(bt.__version__.split(".")[0]) >= 11:
        graph = bt.Subtensor(url).subnets.metagraph(NETUID)
        rows = [
            (
                neuron.uid,
                neuron.hotkey,
                int(neuron.total_stake.rao),
                round(neuron.incentive * 65535),
                round(neuron.dividends * 65535),
                neuron.axon or "-",
            )
            for neuron in graph.neurons
        ]
        return graph.block, rows
    graph = bt.Subtensor(network=url).metagraph(NETUID)
    rows = [
        (
            int(uid),
            graph.hotkeys[uid],
            # A 32-bit float of TAO; compared with its precision below.
            float(graph.total_stake[uid]),
            round(float(graph.incentive[uid]) * 65535),
            round(float(graph.dividends[uid]) * 65535),
            f"{graph.axons[uid].ip}:{graph.axons[uid].port}" if graph.axons[uid].is_serving else "-",
        )
        for uid in graph.uids
    ]
    return int(graph.block.item()), rows


def of_example(address, example):
    """(block, rows) as our example prints them."""
    command = [example, f"ws://{address}", str(NETUID)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    head, _, *lines = text.splitlines()
    rows = []
    for line in lines:
        uid, hotkey, stake, _unit, incentive, dividends, axon = line.split()
        rao = int(Decimal(stake) * 10**9)
        rows.append((int(uid), hotkey, rao, int(incentive), int(dividends), axon))
    return int(head.split()[-1]), rows


def same(python, ours):
    """Whether two rows tell the same."""
    if isinstance(python[2], float):
        close = abs(python[2] - ours[2] / 1e9) <= 1e-6 * max(1.0, python[2])
        return close and python[:2] + python[3:] == ours[:2] + ours[3:]
    return python == ours


def main():
    address, example = sys.argv[1:]
    call(address, "devnet_stall", False)
    while int(call(address, "chain_getHeader")["number"], 16) < READY:
        time.sleep(0.1)
    call(address, "devnet_stall", True)
    # A block that was under way when the chain was told to stop.
    time.sleep(0.3)
    import bittensor as bt

    (block, rows), (our_block, our_rows) = of_python(address), of_example(address, example)
    different = [pair for pair in zip(rows, our_rows) if not same(*pair)]
    for python, ours in different[:10]:
        print(f"python {python}\nours   {ours}")
    serving = sum(row[5] != "-" for row in rows)
    earning = sum(row[3] > 0 for row in rows)
    print(
        f"bittensor {bt.__version__}: {len(rows)} neurons at block {block}, {serving} serving, "
        f"{earning} earning; ours {len(our_rows)} at block {our_block}, {len(different)} differ"
    )
    if block != our_block or different or len(rows) != len(our_rows) or not serving or not earning:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
