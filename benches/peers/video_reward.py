#!/usr/bin/env python3
"""The whole reward of one video answer in PyTorch, on the shapes of benches/benches/scoring.rs.

Eight clips of three vectors of 1,024, as they reach a validator of the field: lists of Python floats.
The steps are those of the field's system (Adit states them in adit_scoring::video::original::reward),
written anew with one tensor operation wherever one does; tokens, classifier and services are given,
as they are to ours. Printed are the median and the best time of one thread, from the lists and from
ready tensors.

Needs torch. Usage: video_reward.py [SECONDS]
"""

import math
import random
import statistics
import sys
import time

import torch
import torch.nn.functional as F

CLIPS, DIMENSION, WANTED = 8, 1024, 8
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0


def vector(rng):
    return [rng.uniform(-1.0, 1.0) for _ in range(DIMENSION)]


def answer():
    rng = random.Random(24)
    return [
        {
            "video_id": f"clip{index:07}",
            "start": 0,
            "end": 60,
            "video": vector(rng),
            "audio": vector(rng),
            "description": vector(rng),
            "tokens": 150 + index,
            "text": 0.3,
            "stuffed": (False, 0.9),
            "chunks": (0, 1, 4),
            "novelty": 0.7,
        }
        for index in range(CLIPS)
    ], torch.tensor([vector(rng)])


def tensors(clips):
    return tuple(
        torch.stack([torch.tensor(clip[part]) for clip in clips])
        for part in ("video", "audio", "description")
    )


def nearest_later(videos):
    """For each vector the largest cosine to a later one; none for the last."""
    found = []
    for index in range(len(videos) - 1):
        cosines = F.cosine_similarity(videos[index].unsqueeze(0), videos[index + 1 :])
        found.append(cosines.max().item())
    return found + [None]


def keep(parts, flags):
    places = [place for place, flag in enumerate(flags) if flag]
    return tuple(part[places] for part in parts)


def multiplier(tokens):
    if tokens <= 100:
        share = 0.0
    else:
        share = (min(math.log2(300), math.log2(tokens)) - math.log2(100)) / math.log2(3)
    return 1 - 0.35 * (1 - share)


def reward(clips, parts, spot, query):
    if not clips:
        return 0.005
    if any(len(clip["video_id"]) != 11 for clip in clips):
        return -5.0
    flags = [5 <= clip["end"] - clip["start"] <= 120 for clip in clips]
    clips, parts = [c for c, f in zip(clips, flags) if f], keep(parts, flags)
    if not all(F.cosine_similarity(ours, part[:1]).item() > 0.95 for ours, part in zip(spot, parts)):
        return -5.0

    flags = [nearest is None or nearest <= 0.95 for nearest in nearest_later(parts[0])]
    clips, parts = [c for c, f in zip(clips, flags) if f], keep(parts, flags)
    local = [1.0 - (nearest or 0.0) for nearest in nearest_later(parts[0])]
    flags = [min(l, clip["novelty"]) >= 0.1 for l, clip in zip(local, clips)]
    clips, parts = [c for c, f in zip(clips, flags) if f], keep(parts, flags)
    if not clips:
        return 0.005

    if any(c["stuffed"][0] and c["stuffed"][1] > 0.75 for c in clips):
        return -5.0
    if any(c["chunks"][0] > 5 or c["chunks"][1] > 15 for c in clips):
        return -5.0
    flags = [not c["stuffed"][0] and c["chunks"][2] <= 50 for c in clips]
    clips, (video, audio, text) = [c for c, f in zip(clips, flags) if f], keep(parts, flags)
    if not clips:
        return 0.005

    description = (
        0.65 * F.cosine_similarity(video, text) + 0.35 * F.cosine_similarity(audio, text)
    ).tolist()
    description = [score * multiplier(clip["tokens"]) for score, clip in zip(description, clips)]
    seen = F.cosine_similarity(video, query).tolist()
    heard = F.cosine_similarity(audio, query).tolist()
    about = [(v + a + clip["text"]) / 3 for v, a, clip in zip(seen, heard, clips)]
    return max((0.7 * sum(description) + 1.3 * sum(about)) / 2 / WANTED, 0.005)


def timed(work):
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return f"median {statistics.median(times) * 1e6:.0f}, best {min(times) * 1e6:.0f} us"


def main():
    torch.set_num_threads(1)
    clips, query = answer()
    ready = tensors(clips)
    spot = tuple(part[:1].clone() for part in ready)
    with torch.inference_mode():
        assert reward(clips, ready, spot, query) > 0.005 - 1e-9
        from_lists = timed(lambda: reward(clips, tensors(clips), spot, query))
        from_tensors = timed(lambda: reward(clips, ready, spot, query))
    print(
        f"torch {torch.__version__}, 1 thread, reward of 8 clips of 3 x 1024: "
        f"{from_lists} from lists of floats; {from_tensors} from ready tensors"
    )


main()
