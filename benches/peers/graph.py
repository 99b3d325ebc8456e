"""The other side of `benches/benches/graph.rs`: hnswlib on the same vectors.

    python -m venv V && V/bin/pip install hnswlib numpy
    V/bin/python benches/peers/graph.py make FOLDER ROWS
    V/bin/python benches/peers/graph.py run FOLDER

The vectors lie around 20,000 centres in 48 hidden dimensions, with noise in all 384: much like the
embeddings of texts, and unlike random directions, which no graph can search.
"""

import pathlib
import sys
import time

import numpy

DIMENSION, HIDDEN, CENTRES = 384, 48, 20_000


def make(folder, rows):
    random = numpy.random.default_rng(7)
    spread = random.standard_normal((HIDDEN, DIMENSION), numpy.float32) / HIDDEN**0.5
    centres = random.standard_normal((CENTRES, HIDDEN), numpy.float32)

    def vectors(count):
        hidden = centres[random.integers(0, CENTRES, count)]
        hidden = hidden + 0.6 * random.standard_normal((count, HIDDEN), numpy.float32)
        found = hidden @ spread + 0.15 * random.standard_normal((count, DIMENSION), numpy.float32)
        return (found / numpy.linalg.norm(found, axis=1, keepdims=True)).astype(numpy.float32)

    folder.mkdir(parents=True, exist_ok=True)
    vectors(rows).tofile(folder / "rows.f32")
    vectors(1_000).tofile(folder / "queries.f32")


def run(folder):
    import hnswlib

    rows = numpy.fromfile(folder / "rows.f32", numpy.float32).reshape(-1, DIMENSION)
    queries = numpy.fromfile(folder / "queries.f32", numpy.float32).reshape(-1, DIMENSION)
    graph = hnswlib.Index("ip", DIMENSION)
    kept = folder / "hnswlib.graph"
    if kept.exists():
        graph.load_index(str(kept), max_elements=len(rows))
    else:
        start = time.perf_counter()
        graph.init_index(len(rows), M=16, ef_construction=128, random_seed=1)
        graph.add_items(rows, num_threads=2)
        print(f"built {len(rows)} in {time.perf_counter() - start:.0f} s")
        graph.save_index(str(kept))
    graph.set_num_threads(1)
    exact = numpy.argsort(-(queries[:200] @ rows.T), axis=1)[:, :10]
    for width in (16, 24, 32, 48, 64, 96, 128, 192, 256):
        graph.set_ef(width)
        found, _ = graph.knn_query(queries[:200], 10)
        recall = numpy.mean([len(set(a) & set(b)) for a, b in zip(found, exact)]) / 10
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            graph.knn_query(queries, 10)
            best = min(best, time.perf_counter() - start)
        print(f"hnswlib, width {width}: recall {recall:.4f}, {len(queries) / best:.0f} queries/s")


if sys.argv[1] == "make":
    make(pathlib.Path(sys.argv[2]), int(sys.argv[3]))
else:
    run(pathlib.Path(sys.argv[2]))
