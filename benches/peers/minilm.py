#!/usr/bin/env python3
"""Sentences per second of all-MiniLM-L6-v2: ours, PyTorch and ONNX Runtime, taking turns.

Needs torch (any version with scaled_dot_product_attention); ONNX Runtime takes part where onnxruntime
and onnx are installed. Usage: minilm.py [THREADS [OURS [ROUNDS]]], with OURS the program
of benches/examples/minilm.rs.

In every round each contender embeds every batch once, so that a busy machine is busy for all of them.
The figures are medians over the rounds; the ratios are medians of each round's own ratio.

The network is written here in torch.nn.functional: for PyTorch with its fused attention, for ONNX
Runtime exported, once with all its own optimisations and once with its optimiser for BERT before. Both are fed the token ids of
the sentences and are not charged for tokenising them; ours is. All check themselves against
fixtures/models/minilm_dev.json first.
"""

import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = pathlib.Path(os.environ.get("ADIT_HOME") or pathlib.Path.home() / ".cache" / "adit")
MODEL = HOME / "models" / "all-MiniLM-L6-v2"
SHAPES = [(16, 32), (128, 32), (256, 16)]
WORDS = ["a", "drone", "flies", "over", "the", "snow", "at", "sunrise"]
LAYERS, HEADS, HIDDEN, EPSILON = 6, 12, 384, 1e-12
ROUNDS = 40
# Calls of a turn that are counted.
CALLS = 3


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
    return F.normalize(states(p, ids, F.scaled_dot_product_attention).mean(1), dim=1)


def states(p, ids, attention):
    """The last layer."""
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
        mixed = attention(q, k, v).transpose(1, 2).reshape(batch, length, HIDDEN)
        x = norm(linear(mixed, p, f"{layer}.attention.output.dense") + x, p, f"{layer}.attention.output.LayerNorm")
        wide = F.gelu(linear(x, p, f"{layer}.intermediate.dense"))
        x = norm(linear(wide, p, f"{layer}.output.dense") + x, p, f"{layer}.output.LayerNorm")
    return x


def check(name, run):
    golden = json.loads((ROOT / "fixtures/models/minilm_dev.json").read_text())
    for ids, expected in zip(golden["token_ids"], golden["embeddings"]):
        error = (run(torch.tensor([ids]))[0] - torch.tensor(expected)).abs().max().item()
        assert error < 1e-4, f"{name} is off by {error}"


def onnx_runtime(p, threads):
    """Unit vectors by ONNX Runtime, or nothing where it is not installed."""
    try:
        import onnxruntime
        from onnxruntime.transformers import optimizer
    except ImportError as error:
        print(f"without ONNX Runtime: {error}", flush=True)
        return {}

    class States(torch.nn.Module):
        def forward(self, ids):
            return states(p, ids, lambda q, k, v: ((q @ k.transpose(2, 3)) / (HIDDEN // HEADS) ** 0.5).softmax(3) @ v)

    with tempfile.TemporaryDirectory() as folder:
        plain, fused = f"{folder}/plain.onnx", f"{folder}/fused.onnx"
        sizes = {0: "batch", 1: "length"}
        ids = torch.ones((2, 8), dtype=torch.int64)
        torch.onnx.export(
            States(),
            (ids,),
            plain,
            input_names=["ids"],
            output_names=["states"],
            dynamic_axes={"ids": sizes, "states": sizes},
            opset_version=17,
            dynamo=False,
        )
        optimizer.optimize_model(plain, "bert", num_heads=HEADS, hidden_size=HIDDEN).save_model_to_file(fused)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        sessions = [
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for path in (plain, fused)
        ]

    def run(session, ids):
        (found,) = session.run(None, {"ids": ids.numpy()})
        return F.normalize(torch.from_numpy(found).mean(1), dim=1)

    return {
        f"ONNX Runtime {onnxruntime.__version__} {kind}": lambda ids, session=session: run(session, ids)
        for kind, session in zip(("exported", "fused"), sessions)
    }


class Ours:
    """Our program, which times itself."""

    def __init__(self, program, threads):
        self.child = subprocess.Popen(
            [program, str(MODEL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"RAYON_NUM_THREADS": str(threads)},
        )

    def seconds(self, tokens, batch):
        self.child.stdin.write(f"{tokens} {batch}\n")
        self.child.stdin.flush()
        return float(self.child.stdout.readline())


def timed(run, ids):
    start = time.perf_counter()
    run(ids)
    return time.perf_counter() - start


def turn(seconds):
    """The mean of a turn's calls. The first is not counted: the threads of whoever was before may still
    spin, and the caches are theirs."""
    seconds()
    return statistics.mean(seconds() for _ in range(CALLS))


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS
    torch.set_num_threads(threads)
    vocabulary = json.loads((MODEL / "tokenizer.json").read_text())["model"]["vocab"]
    p = parameters()
    with torch.inference_mode():
        contenders = {f"torch {torch.__version__}": lambda ids: embed(p, ids)}
        contenders |= onnx_runtime(p, threads)
        for name, run in contenders.items():
            check(name, run)
        ours = Ours(sys.argv[2], threads) if len(sys.argv) > 2 else None
        for tokens, batch in SHAPES:
            rows = [
                [101] + [vocabulary[WORDS[(start + place) % len(WORDS)]] for place in range(tokens - 2)] + [102]
                for start in range(batch)
            ]
            ids = torch.tensor(rows)
            times = {name: [] for name in ["ours", *contenders]}
            for _ in range(rounds + 1):
                if ours:
                    times["ours"].append(turn(lambda: ours.seconds(tokens, batch)))
                for name, run in contenders.items():
                    times[name].append(turn(lambda run=run: timed(run, ids)))
            for name, all_of_it in times.items():
                # The first round warms caches.
                seconds = all_of_it[1:]
                if not seconds:
                    continue
                line = f"{tokens} tokens, batch {batch}, {threads} threads: {name}: median "
                line += f"{batch / statistics.median(seconds):.1f}, best {batch / min(seconds):.1f} sequences/s"
                if ours and name != "ours":
                    ratios = [theirs / own for theirs, own in zip(seconds, times["ours"][1:])]
                    line += f"; ours is {statistics.median(ratios):.2f} times as fast, best to best "
                    line += f"{min(seconds) / min(times['ours'][1:]):.2f}"
                print(line, flush=True)


main()
