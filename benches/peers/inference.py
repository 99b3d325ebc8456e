"""The other side of benches/benches/inference.rs: the same work, said with NumPy and scikit-learn.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install numpy==2.4.0 scikit-learn==1.8.0
    /tmp/peer/bin/python benches/peers/inference.py [SIZES]

Signals are computed per answer and pairs one by one, as a round is judged in the field.
"""

import re
import statistics
import sys
import time

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

SENTENCES, DIMENSION, VOCABULARY = 10, 768, 3000
FILLER = set(
    "with from about into through during were been being have does will would could should might this "
    "that these those very more some each every both many much such only other than then them there "
    "various important significant relevant considerations aspects factors elements components matters "
    "issues".split()
)


def near(rng, shared, noise):
    row = shared + noise * rng.uniform(-1, 1, DIMENSION)
    return (row / np.linalg.norm(row)).astype(np.float32)


def make_round(count):
    rng = np.random.default_rng(78)
    shared = near(rng, np.zeros(DIMENSION), 1.0)
    prompt = near(rng, shared, 0.05)
    components = np.stack([near(rng, shared, 0.05) for _ in range(3)])
    answers = []
    for _ in range(count):
        lengths = rng.integers(8, 21, SENTENCES)
        text = " ".join(
            " ".join(f"word{number}" for number in rng.integers(0, VOCABULARY, length)) + "."
            for length in lengths
        )
        rows = np.stack([near(rng, shared, 0.05) for _ in range(SENTENCES)])
        answers.append((text, near(rng, shared, 0.04), rows))
    return prompt, components, answers


def split(text):
    return [part for part in re.split(r"(?<=[.!?])\s+", text.strip()) if len(part.split()) >= 3]


def pieces(text):
    return [part.strip() for part in re.split(r"[.!?]+", text) if part.strip()]


def soft(signal, midpoint):
    return 1 / (1 + np.exp(-8 * (signal - midpoint)))


def quality(prompt, components, text, whole, rows):
    split(text)
    relevant = cosine_similarity(prompt[None], whole[None])[0, 0]
    near_prompt = np.sort(cosine_similarity(prompt[None], rows)[0])[-(len(rows) // 2):].mean()
    parts = cosine_similarity(components, np.vstack([whole[None], rows])).max(axis=1)
    covered = (parts >= 0.45).mean()
    relevance = 0.4 * relevant + 0.4 * near_prompt + 0.2 * covered
    adjacent = [
        cosine_similarity(rows[i : i + 1], rows[i + 1 : i + 2])[0, 0] for i in range(len(rows) - 1)
    ]
    centroid = rows.mean(axis=0, keepdims=True)
    coherence = 0.6 * np.mean(adjacent) + 0.4 * cosine_similarity(rows, centroid).mean()
    tree = AgglomerativeClustering(n_clusters=None, distance_threshold=0.7, linkage="average")
    steps = np.exp(-(((tree.fit(rows).n_clusters_ - 4) / 2) ** 2))
    all_pairs = cosine_similarity(rows)[np.triu_indices(len(rows), 1)]
    complexity = np.clip(0.6 * steps + 0.4 * max(0, 1 - all_pairs.mean()), 0, 1)
    words = text.lower().split()
    density = sum(len(word) > 3 and word not in FILLER for word in words) / len(words)
    capitals = sum(word[0].isupper() for part in pieces(text) for word in part.split()[1:])
    specific = 0.3 * bool(re.search(r"\d", text)) + min(0.3, 0.1 * capitals)
    specific += min(0.2, 2 * sum(len(word) > 8 for word in words) / len(words))
    specific += 0.2 * bool(re.search("[;:]", text))
    return min(
        1,
        0.4 * soft(relevance, 0.45)
        + 0.2 * soft(coherence, 0.45)
        + 0.2 * soft(covered, 0.4)
        + 0.2 * soft(complexity, 0.3)
        + 0.2 * soft(density, 0.4)
        + 0.2 * soft(min(1, specific), 0.3),
    )


def form(text):
    parts = pieces(text)
    words = sum(len(part.split()) for part in parts) / max(1, len(parts))
    return [
        len(text) / 10000,
        len(parts) / 50,
        bool(re.search(r"(?:^|\n)\s*\d+[.)]\s", text)),
        bool(re.search(r"(?:^|\n)\s*[-•*]\s", text)),
        "```" in text,
        sum(bool(part.strip()) for part in text.split("\n\n")) / 20,
        words / 50,
    ]


def sybils(answers):
    texts = [text for text, _, _ in answers]
    semantic = cosine_similarity(np.stack([whole for _, whole, _ in answers]))
    count = len(texts)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    likeness = np.array([float(semantic[pair]) for pair in pairs])
    for percent in (50, 90, 95, 99, 99.9, 99.99):
        np.percentile(likeness, percent)
    high = max(np.percentile(likeness, 99.9), 0.8)
    terms = TfidfVectorizer(max_features=5000, stop_words="english", ngram_range=(1, 2))
    lexical = cosine_similarity(terms.fit_transform(texts)).astype(np.float32)
    forms = np.array([form(text) for text in texts], dtype=np.float32)
    forms /= np.linalg.norm(forms, axis=1, keepdims=True)
    structural = forms @ forms.T
    found = {pair: float(semantic[pair]) for pair in pairs if semantic[pair] >= high}
    for pair in pairs:
        views = [float(semantic[pair]), float(lexical[pair]), float(structural[pair])]
        if (views[0] >= 0.92) + (views[1] >= 0.85) + (views[2] >= 0.8) >= 2:
            found[pair] = max(found.get(pair, 0), *views)
    paths = []
    for text, _, rows in answers:
        split(text)
        centres = KMeans(n_clusters=5, n_init=3, random_state=42).fit(rows).cluster_centers_
        paths.append(centres[np.argsort(np.linalg.norm(centres, axis=1))])
    for i, j in pairs:
        both = [
            cosine_similarity(left[None], right[None])[0, 0] for left, right in zip(paths[i], paths[j])
        ]
        if np.mean(both) >= 0.85:
            found[(i, j)] = max(found.get((i, j), 0), float(np.mean(both)))
    return sorted(found.items(), key=lambda item: -item[1])


def median_ms(work, repeats):
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        took.append(1e3 * (time.perf_counter() - start))
    return statistics.median(took)


for size in [int(argument) for argument in sys.argv[1:]] or [7, 64, 256]:
    prompt, components, answers = make_round(size)
    signals = median_ms(lambda: [quality(prompt, components, *answer) for answer in answers], 5)
    detection = median_ms(lambda: sybils(answers), 3 if size < 256 else 1)
    print(f"{size:4} answers: quality signals {signals:9.1f} ms, sybil detection {detection:9.1f} ms")
