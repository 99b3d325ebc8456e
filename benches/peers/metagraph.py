"""A subnet's metagraph with the field's SDK, the peer of benches/metagraph.rs.

    python -m venv v11 && v11/bin/pip install bittensor==11.3.0
    v11/bin/python benches/peers/metagraph.py ws://127.0.0.1:9944

One connection, opened before; prints the median of many reads, in milliseconds, with the
commitments that the SDK reads by default and without.
"""

import asyncio
import statistics
import sys
import time

import bittensor
from bittensor import metagraph

ROUNDS = 60


async def main():
    async with bittensor.Subtensor(sys.argv[1]) as client:
        for name, options in (("", {}), (" without commitments", {"commitments": False})):
            times = []
            for _ in range(ROUNDS + 5):
                start = time.perf_counter_ns()
                graph = await metagraph.fetch(client, 1, **options)
                times.append(time.perf_counter_ns() - start)
            median = statistics.median(times[5:]) / 1e6
            print(
                f"bittensor {bittensor.__version__}: metagraph of {len(graph.neurons)}{name}: "
                f"{median:.2f} ms"
            )


asyncio.run(main())
