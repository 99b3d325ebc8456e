#!/usr/bin/env python3
"""Tokens per second of a language model in transformers, on the work of benches/benches/language.rs.

    language.py make FOLDER            a model of random weights in the shape of Qwen2.5-0.5B, f32
    language.py run FOLDER [THREADS]   a prompt of 512 tokens, and 16 tokens one by one after it

Needs torch and transformers.
"""

import sys
import time

import torch
from transformers import AutoModelForCausalLM, DynamicCache, Qwen2Config, Qwen2ForCausalLM

PROMPT, STEPS, SECONDS = 512, 16, 10.0


def make(folder):
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24,
        num_attention_heads=14, num_key_value_heads=2, max_position_embeddings=32768,
        tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
    )
    Qwen2ForCausalLM(config).float().save_pretrained(folder, max_shard_size="100GB")


def measured(what, tokens, work):
    work()
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < SECONDS or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    times.sort()
    median, best = times[len(times) // 2], times[0]
    print(f"{what}: median {tokens / median:.2f}, best {tokens / best:.2f} tokens/s", flush=True)


def run(folder, threads):
    torch.set_num_threads(threads)
    prompt = torch.tensor([[index * 7919 % 50000 for index in range(PROMPT)]])
    for dtype in (torch.float32, torch.bfloat16):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
        name = f"torch {torch.__version__}, {threads} threads, {dtype}"
        with torch.inference_mode():
            measured(f"{name}, prompt", PROMPT, lambda: model(prompt, logits_to_keep=1))
            cache = DynamicCache(config=model.config)
            model(prompt, past_key_values=cache, logits_to_keep=1)

            def steps():
                cache.crop(PROMPT)
                for token in range(STEPS):
                    model(torch.tensor([[token]]), past_key_values=cache)

            measured(f"{name}, steps", STEPS, steps)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    run(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2)
