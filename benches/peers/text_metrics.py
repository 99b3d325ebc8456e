"""Metrics of long-context answers by the Python packages, on the texts of benches/text_metrics.rs.

    python -m venv VENV
    VENV/bin/pip install 'setuptools<80' rouge==1.0.1 jieba==0.42.1 fuzzywuzzy==0.18.0 \
        python-Levenshtein==0.27.5
    VENV/bin/python benches/peers/text_metrics.py

Prints the median of processor time and what was scored. The packages do the work of ROUGE, code
similarity and Chinese words; F1 of words is LongBench's definition in plain Python.
"""

import difflib
import logging
import re
import statistics
import string
import sys
import time
from collections import Counter

import jieba
from fuzzywuzzy import fuzz
from rouge import Rouge

SHORT = [
    "The treaty was signed in Vienna by both sides.",
    "the treaty, signed in Paris by all sides in 1856",
]
CODE = ["return valuye * scale + ofset", "return value * scale + offset"]
CHINESE = ["小明昨天在图书馆看书，他喜欢吃苹果", "他在图书馆看书，小明喜欢吃苹果"]
CHINESE_TEXT = "这座桥建于一九五八年。今天天气很好，研究人员发现了新的材料，请问最近的地铁站在哪里？"
CHINESE_SIGNS = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."
)
MASK = (1 << 64) - 1


def numbers(state):
    """SplitMix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        yield mixed ^ (mixed >> 31)


def words(count):
    source = numbers(1)

    def word():
        return f"word{min(next(source) % 1500, next(source) % 1500)}"

    reference = [word() for _ in range(count)]
    prediction = [word() if next(source) % 5 == 0 else held for held in reference]
    return prediction, reference


def sentences(text, length):
    parts = (text[start : start + length] for start in range(0, len(text), length))
    return ". ".join(" ".join(part) for part in parts) + "."


def f1(prediction, reference):
    common = sum((Counter(prediction) & Counter(reference)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(prediction), common / len(reference)
    return 2 * precision * recall / (precision + recall)


def normalised(text):
    signs = set(string.punctuation)
    text = "".join(sign for sign in text.lower() if sign not in signs)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def answer_f1(prediction, reference):
    return f1(normalised(prediction).split(), normalised(reference).split())


def chinese_f1(prediction, reference):
    signs = set(string.punctuation + CHINESE_SIGNS)

    def tokens(text):
        for token in jieba.cut(text, cut_all=False):
            token = "".join("".join(s for s in token.lower() if s not in signs).split())
            if token:
                yield token

    return f1(list(tokens(prediction)), list(tokens(reference)))


def rouge_l(prediction, reference):
    return Rouge().get_scores([prediction], [reference], avg=True)["rouge-l"]["f"]


def measure(name, runs, calls, work):
    answer = work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        for _ in range(calls):
            work()
        times.append((time.process_time() - start) / calls)
    median = statistics.median(times) * 1e6
    print(f"{name:28} {median:14.2f} µs   {answer}")


def main():
    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    texts = words(2000)
    for name, length in [("15-word", 15), ("40-word", 40), ("one", 2000)]:
        pair = [sentences(side, length) for side in texts]
        limit = sys.getrecursionlimit()
        # Without this the longest sentences fail, which LongBench counts as 0.
        sys.setrecursionlimit(10_000)
        measure(f"rouge_1_2_l/2000/{name}", 5, 1, lambda: rouge_l(*pair))
        sys.setrecursionlimit(limit)
    pair = [sentences(side, 15) for side in texts]
    measure("answer_f1/short", 15, 5000, lambda: answer_f1(*SHORT))
    measure("answer_f1/2000", 15, 20, lambda: answer_f1(*pair))
    measure("code_similarity/indel", 15, 5000, lambda: fuzz.ratio(*CODE) / 100)
    matcher = lambda a, b: difflib.SequenceMatcher(None, a, b).ratio()
    measure("code_similarity/blocks", 15, 100, lambda: round(100 * matcher(*CODE)) / 100)
    measure("block_ratio/13000", 3, 1, lambda: matcher(*pair))
    measure("chinese/answer_f1", 15, 300, lambda: chinese_f1(*CHINESE))
    text = CHINESE_TEXT * 250
    measure("chinese/words/10000", 9, 1, lambda: len(list(jieba.cut(text, cut_all=False))))


if __name__ == "__main__":
    main()
