"""The other side of benches/benches/consensus.rs without quality: the same work, said with NumPy and
scikit-learn.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install numpy==2.4.0 scikit-learn==1.8.0
    OMP_NUM_THREADS=1 /tmp/peer/bin/python benches/peers/consensus.py [SIZES]
"""

import statistics
import sys
import time

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import LocalOutlierFactor

DIMENSION = 768


def near(rng, shared, noise):
    row = shared + noise * rng.uniform(-1, 1, DIMENSION)
    return (row / np.linalg.norm(row)).astype(np.float32)


def evaluate(prompt, rows, quality, words, times):
    quality = np.where(cosine_similarity(rows, prompt[None])[:, 0] < 0.2, 0.0, quality)
    kept = np.flatnonzero(quality >= 0.35)
    model = LocalOutlierFactor(n_neighbors=min(2, len(kept) - 1)).fit(rows[kept])
    outside = model.negative_outlier_factor_ < -1.5
    if outside.any():
        better = quality[kept][outside].mean() - quality[kept][~outside].mean() > 0.15
        kept = kept[outside if better else ~outside]
    similar = cosine_similarity(rows)
    chosen = similar[np.ix_(kept, kept)]
    labels = AgglomerativeClustering(
        metric="precomputed", linkage="average", distance_threshold=0.5, n_clusters=None
    ).fit_predict(1 - chosen)
    members = kept[labels == np.bincount(labels).argmax()]
    upper = np.triu_indices(len(members), 1)
    pairs = similar[np.ix_(members, members)][upper]
    weights = np.outer(quality[members], quality[members])[upper]
    mean = np.average(pairs, weights=weights)
    theta = mean + np.sqrt(np.average((pairs - mean) ** 2, weights=weights))
    inside = np.zeros(len(rows), bool)
    inside[members] = True
    scores = np.zeros(len(rows))
    for answer in range(len(rows)):
        if inside[answer]:
            others = members[members != answer]
            close = similar[answer, others].mean()
            bonus = min(0.15, (1 - close) * quality[answer] / 0.6 * 0.15) if quality[answer] > 0.6 else 0
            scores[answer] = 0.4 * close + 0.25 * quality[answer] + 0.25 + bonus
        else:
            scores[answer] = 0.3 * similar[answer, members].mean() + 0.25 * words[answer] / words.max() + 0.15
    second, best = np.sort(scores)[-2:]
    factor = np.where(inside, 1.2, 1.0)
    factor[scores.argmax()] *= min(1.5, 1 + 0.5 * np.tanh(0.1 * (best - second)))
    return len(members), (1 - times / times.sum()) * theta * factor


def main():
    for count in [int(size) for size in sys.argv[1:]] or [7, 64, 256]:
        rng = np.random.default_rng(78)
        shared = near(rng, np.zeros(DIMENSION), 1.0)
        prompt = near(rng, shared, 0.05)
        rows = np.stack([near(rng, shared, 0.04) for _ in range(count)])
        quality, words = rng.uniform(0.6, 1, count), rng.integers(80, 200, count)
        times = 1000.0 + np.arange(count)
        spent = []
        for _ in range(21):
            start = time.perf_counter()
            members, _ = evaluate(prompt, rows, quality, words, times)
            spent.append(time.perf_counter() - start)
        print(f"consensus {count}: {statistics.median(spent) * 1e3:.2f} ms, {members} members")


if __name__ == "__main__":
    main()
