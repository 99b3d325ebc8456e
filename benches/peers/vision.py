#!/usr/bin/env python3
"""Frames and pictures per second in PyTorch, on the inputs of benches/benches/vision.rs.

    benches/peers/vision.py make FOLDER       random weights at the published sizes, once
    benches/peers/vision.py run FOLDER THREADS

Needs torch, torchvision, transformers and pillow. TransNetV2 is that of scripts/make-vision-models.
"""

import importlib.machinery
import importlib.util
import pathlib
import sys
import time

import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS, PICTURES = 10.0, 8


def makers():
    loader = importlib.machinery.SourceFileLoader("makers", str(ROOT / "scripts" / "make-vision-models"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("makers", loader))
    loader.exec_module(module)
    return module


def rate(name, count, run):
    with torch.inference_mode():
        run()
        times = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end or len(times) < 3:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    times.sort()
    print(f"{name}: {count / times[len(times) // 2]:.1f} per second (median of {len(times)})")


def main():
    task, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    own = makers()
    clip = folder / "clip-vit-base-patch32"
    if task == "make":
        torch.manual_seed(0)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "transnetv2.safetensors").exists():
            save_file(own.TransNetV2(16, 3, 2, 1024).state_dict(), folder / "transnetv2.safetensors")
        if not clip.exists():
            # The defaults of the class are this model's sizes.
            transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig()).save_pretrained(clip)
        return
    torch.set_num_threads(int(sys.argv[3]))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    model = own.TransNetV2(16, 3, 2, 1024).eval()
    model.load_state_dict(load_file(folder / "transnetv2.safetensors"))
    window = own.noise((1, 100, 27, 48, 3), 0)
    rate("transnetv2, 50 frames of 100", 50, lambda: model(window))
    model = transformers.CLIPVisionModelWithProjection.from_pretrained(clip).eval()
    process = own.CLIPImageProcessorPil(return_tensors="np")
    pictures = [Image.fromarray(own.noise((360, 640, 3), 0).numpy())] * PICTURES

    def embed():
        values = numpy.stack(process(pictures)["pixel_values"])
        return model(pixel_values=torch.from_numpy(values))

    rate("clip-vit-base-patch32, 8 pictures of 640 x 360", PICTURES, embed)


main()
