#!/usr/bin/env python3
"""Sentences per second of all-MiniLM-L6-v2 in PyTorch, on the inputs of benches/benches/models.rs.

Needs torch (any version with scaled_dot_product_attention). Usage: minilm.py [THREADS]

The network is written here in torch.nn.functional with fused attention, so it needs neither
transformers nor a tokenizer: it is fed the token ids of the bench's sentences, and is not charged
for tokenising them. It checks itself against fixtures/models/minilm_dev.json first.
"""

import json
import os
import pathlib
import struct
import sys
import time

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = pathlib.Path(os.environ.get("ADIT_HOME") or pathlib.Path.home() / ".cache" / "adit")
MODEL = HOME / "models" / "all-MiniLM-L6-v2"
SHAPES = [(16, 32), (128, 32), (256, 16)]
WORDS = ["a", "drone", "flies", "over", "the", "snow", "at", "sunrise"]
LAYERS, HEADS, HIDDEN, EPSILON = 6, 12, 384, 1e-12
SECONDS = 5.0


def parameters():
    data = (MODEL / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            flat = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def norm(x, p, name):
    return F.layer_norm(x, (HIDDEN,), p[f"{name}.weight"], p[f"{name}.bias"], EPSILON)


def linear(x, p, name):
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def embed(p, ids):
    """Unit vectors of a batch of equally long id sequences (so nothing is padded or masked)."""
    batch, length = ids.shape
    x = (
        F.embedding(ids, p["embeddings.word_embeddings.weight"])
        + p["embeddings.position_embeddings.weight"][:length]
        + p["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(x, p, "embeddings.LayerNorm")
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        q, k, v = (
            linear(x, p, f"{layer}.attention.self.{part}")
            .view(batch, length, HEADS, HIDDEN // HEADS)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, HIDDEN)
        x = norm(linear(mixed, p, f"{layer}.attention.output.dense") + x, p, f"{layer}.attention.output.LayerNorm")
        wide = F.gelu(linear(x, p, f"{layer}.intermediate.dense"))
        x = norm(linear(wide, p, f"{layer}.output.dense") + x, p, f"{layer}.output.LayerNorm")
    return F.normalize(x.mean(1), dim=1)


def check(p):
    golden = json.loads((ROOT / "fixtures/models/minilm_dev.json").read_text())
    for ids, expected in zip(golden["token_ids"], golden["embeddings"]):
        found = embed(p, torch.tensor([ids]))[0]
        error = (found - torch.tensor(expected)).abs().max().item()
        assert error < 1e-4, f"this script's network is off by {error}"


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    vocabulary = json.loads((MODEL / "tokenizer.json").read_text())["model"]["vocab"]
    p = parameters()
    with torch.inference_mode():
        check(p)
        for tokens, batch in SHAPES:
            rows = [
                [101] + [vocabulary[WORDS[(start + place) % len(WORDS)]] for place in range(tokens - 2)] + [102]
                for start in range(batch)
            ]
            ids = torch.tensor(rows)
            embed(p, ids)
            best, begun = float("inf"), time.perf_counter()
            times = []
            while time.perf_counter() - begun < SECONDS or len(times) < 5:
                start = time.perf_counter()
                embed(p, ids)
                times.append(time.perf_counter() - start)
            times.sort()
            median, best = times[len(times) // 2], times[0]
            print(
                f"torch {torch.__version__}, {torch.get_num_threads()} threads, {tokens} tokens, batch {batch}: "
                f"median {batch / median:.1f}, best {batch / best:.1f} sequences/s",
                flush=True,
            )


main()
