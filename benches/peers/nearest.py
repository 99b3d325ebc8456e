"""The other side of `benches/benches/nearest.rs`: faiss-cpu's flat index, one query at a time.

    python -m venv V && V/bin/pip install faiss-cpu numpy
    V/bin/python benches/peers/nearest.py [rows]
"""

import sys
import time

import faiss
import numpy

DIMENSION = 1024
rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000


def unit_vectors(count, seed):
    random = numpy.random.default_rng(seed)
    values = numpy.empty((count, DIMENSION), numpy.float32)
    for start in range(0, count, 50_000):
        part = random.standard_normal((min(50_000, count - start), DIMENSION), numpy.float32)
        values[start : start + len(part)] = part / numpy.linalg.norm(part, axis=1, keepdims=True)
    return values


queries = unit_vectors(16, 2)
vectors = unit_vectors(rows, 1)
flat = faiss.IndexFlatIP(DIMENSION)
flat.add(vectors)
del vectors
for threads in (1, 2):
    faiss.omp_set_num_threads(threads)
    times = []
    for turn in range(40):
        query = queries[turn % 16 : turn % 16 + 1]
        start = time.perf_counter()
        flat.search(query, 1)
        times.append(time.perf_counter() - start)
    print(f"faiss {faiss.__version__} flat, {threads} threads: median {numpy.median(times) * 1e3:.1f} ms")
