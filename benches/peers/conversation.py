#!/usr/bin/env python3
"""Judging 256 answers of 20 tags of 1,536 dimensions with numpy, on data like that of
benches/benches/conversation.rs.

Needs numpy. Usage: OPENBLAS_NUM_THREADS=1 conversation.py [SECONDS]

Three ways, all written here: each tag's vector as a Python list, as validators in the field hold it;
as an array; and all tags of all answers as one matrix, the fastest that numpy offers. Statistics and
penalties are left out of the third, which is only products and norms.
"""

import sys
import time

import numpy as np

MINERS, TAGS, DIMENSION, TRUTH, SHARED = 256, 20, 1536, 13, 4


def score(centre, reference, answer):
    names = list(dict.fromkeys(name for name, _ in answer))
    shared = {name for name in names if name in reference}
    vectors = dict(answer)
    cosines, unique = [], []
    for name in names:
        vector = np.asarray(vectors[name])
        cosine = np.dot(centre, vector) / (np.linalg.norm(centre) * np.linalg.norm(vector))
        cosines.append(cosine)
        if name not in shared:
            unique.append(cosine)
    top = (sorted(unique)[-3:] + [0.0] * 3)[:3]
    adjusted = 0.55 * np.mean(top) + 0.10 * np.median(cosines) + 0.25 * np.mean(cosines) + 0.10 * np.max(cosines)
    alone = len(unique)
    factor = 0.9 if not shared else 1.0
    factor *= 0.5 if max(cosines) < 0.2 else 1.0
    factor *= {0: 0.85, 1: 0.9, 2: 0.95}.get(alone, 1.0)
    return adjusted * factor


def timed(name, work, seconds):
    work()
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < seconds or len(times) < 3:
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    times.sort()
    median = times[len(times) // 2]
    tags = MINERS * TAGS
    print(f"{name}: median {median * 1e3:.2f} ms of CPU, best {times[0] * 1e3:.2f} ms, {tags / median:,.0f} tags/s", flush=True)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    rng = np.random.default_rng(26)
    truth = rng.uniform(-1, 1, (TRUTH, DIMENSION))
    reference = {f"topic {place}" for place in range(TRUTH)}
    print(f"numpy {np.__version__}")
    for kind in (np.float64, np.float32):
        matrix = rng.uniform(-1, 1, (MINERS * TAGS, DIMENSION)).astype(kind)
        centre = truth.mean(axis=0)
        names = [
            f"topic {place % TAGS}" if place % TAGS < SHARED else f"tag number {place}" for place in range(MINERS * TAGS)
        ]

        def every(rows):
            for miner in range(MINERS):
                place = miner * TAGS
                score(centre, reference, list(zip(names[place : place + TAGS], rows[place : place + TAGS])))

        if kind is np.float64:
            lists = [row.tolist() for row in matrix]
            timed("lists", lambda: every(lists), seconds)
            del lists
        arrays = list(matrix)
        timed(f"arrays, {kind.__name__}", lambda: every(arrays), seconds)
        near = centre.astype(kind)
        length = np.linalg.norm(near)
        timed(
            f"one matrix, {kind.__name__}",
            lambda: (matrix @ near) / (length * np.sqrt(np.einsum("ij,ij->i", matrix, matrix))),
            seconds,
        )
        timed(f"plain sum, {kind.__name__}", lambda: matrix.sum(), seconds)


main()
