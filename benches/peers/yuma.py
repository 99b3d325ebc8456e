"""One epoch of Yuma 2 in NumPy's doubles, the peer of benches/yuma.rs.

    python -m venv peer && peer/bin/pip install numpy
    peer/bin/python benches/peers/yuma.py

Every validator weighs everybody; bonds are those of the epoch before. The weighted median of a column
is found by sorting, all columns at once. Prints the median of some runs for each size, in milliseconds.
"""

import statistics
import time

import numpy as np

KAPPA = 32767 / 65535
ALPHA = 1 - 900_000 / 1_000_000


def shares(values, axis):
    sums = values.sum(axis=axis, keepdims=True)
    return np.divide(values, sums, out=np.zeros_like(values), where=sums != 0)


def epoch(stake, raw_weights, raw_bonds):
    """The validators' stake, and their rows of u16 weights and bonds."""
    validators = len(stake)
    stake = stake / stake.sum()
    weights = raw_weights.astype(np.float64)
    weights[np.arange(validators), np.arange(validators)] = 0
    weights = shares(weights, 1)
    order = np.argsort(weights, axis=0)
    below = np.cumsum(stake[order], axis=0)
    place = (below > 1 - KAPPA).argmax(axis=0)
    columns = np.arange(weights.shape[1])
    consensus = weights[order[place, columns], columns]
    clipped = np.minimum(weights, consensus)
    trust = clipped.sum(axis=1)
    ranks = stake @ clipped
    incentive = ranks / ranks.sum()
    bought = shares(clipped * stake[:, None], 0)
    bonds = shares(ALPHA * bought + (1 - ALPHA) * shares(raw_bonds.astype(np.float64), 0), 0)
    dividends = bonds @ incentive
    dividends /= dividends.sum()
    largest = bonds.max(axis=0)
    stored = np.divide(bonds, largest, out=np.zeros_like(bonds), where=largest != 0)
    full = 65535
    return (
        (consensus * full).astype(np.uint16),
        (incentive * full).astype(np.uint16),
        (dividends * full).astype(np.uint16),
        (trust * full).astype(np.uint16),
        (stored * full).astype(np.uint16),
    )


def main():
    rng = np.random.default_rng(1)
    for uids, validators in [(256, 64), (256, 256), (4096, 64), (4096, 256)]:
        worth = rng.random(uids) ** 4
        noise = rng.uniform(0.5, 1.5, (validators, uids))
        weights = (worth * noise * 40_000).astype(np.uint16)
        stake = 1e15 / (np.arange(validators) + 3)
        bonds = epoch(stake, weights, np.zeros_like(weights))[4]
        epoch(stake, weights, bonds)
        times = []
        for _ in range(20):
            start = time.perf_counter()
            epoch(stake, weights, bonds)
            times.append(time.perf_counter() - start)
        print(f"{uids} x {validators}: {statistics.median(times) * 1e3:.2f} ms")


main()
