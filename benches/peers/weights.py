"""u16 weights for 4,096 neurons with the field's SDK, the peer of benches/weights.rs.

    python -m venv v10 && v10/bin/pip install bittensor==10.5.0
    v10/bin/python benches/peers/weights.py
    python -m venv v11 && v11/bin/pip install bittensor==11.3.0
    v11/bin/python benches/peers/weights.py

Prints the median of many runs for each case, in microseconds.
"""

import random
import statistics
import time

NEURONS = 4096
LIMITS = {"free": 65535, "capped": 65}


def microseconds(run, rounds=200):
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


def version_10(scores):
    import numpy as np
    from bittensor.utils import weight_utils

    weights = np.array(scores, dtype=np.float32)
    uids = np.arange(NEURONS)
    for name, limit in LIMITS.items():

        def run():
            kept, shares = weight_utils.process_weights(
                uids, weights, NEURONS, 1024, limit / 65535, 0
            )
            weight_utils.convert_weights_and_uids_for_emit(kept, shares)

        print(f"sdk-10 {name}: {microseconds(run):.0f}")


def version_11(scores):
    from bittensor.intents import weights

    uids = list(range(NEURONS))
    for name, limit in LIMITS.items():
        preflight = weights._Preflight(0, False, 1024, limit)

        def run():
            weights._conform(uids, scores, preflight, 1)

        print(f"sdk-11 {name}: {microseconds(run):.0f}")


if __name__ == "__main__":
    source = random.Random(1)
    drawn = [source.random() ** 4 for _ in range(NEURONS)]
    try:
        version_10(drawn)
    except ImportError:
        version_11(drawn)
