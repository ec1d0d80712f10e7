#!/usr/bin/env python3
"""Perplexity of a GGUF with llama.cpp, by the same rule as `den perplexity`: windows of --context tokens, each from an empty
cache, its second half scored. Prints one JSON object.

    llama_cpp_perplexity.py MODEL.gguf TEXT [--context 512] [--chunks N] [--threads N]

Set-up as in llama_cpp_bench.py.
"""
import argparse
import json
import math

import llama_cpp
import numpy as np


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model")
    ap.add_argument("text")
    ap.add_argument("--context", type=int, default=512)
    ap.add_argument("--chunks", type=int, default=0)
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    model = llama_cpp.Llama(a.model, n_ctx=a.context, n_batch=a.context, logits_all=True, verbose=False,
                            n_threads=a.threads, n_threads_batch=a.threads)
    with open(a.text, "rb") as file:
        tokens = model.tokenize(file.read(), add_bos=False, special=False)
    windows = len(tokens) // a.context
    if a.chunks:
        windows = min(windows, a.chunks)
    losses = []
    for w in range(windows):
        window = tokens[w * a.context:(w + 1) * a.context]
        model.reset()
        model.eval(window)
        logits = np.asarray(model.scores[:a.context], dtype=np.float64)
        first = a.context // 2
        rows = logits[first:a.context - 1]
        highest = rows.max(axis=1, keepdims=True)
        log_sum = highest[:, 0] + np.log(np.exp(rows - highest).sum(axis=1))
        losses.extend(log_sum - rows[np.arange(len(rows)), window[first + 1:]])
    print(json.dumps({"engine": "llama.cpp", "version": llama_cpp.__version__, "model": a.model.rsplit("/", 1)[-1],
                      "context": a.context, "chunks": windows, "scored_tokens": len(losses),
                      "perplexity": math.exp(sum(losses) / len(losses))}))


if __name__ == "__main__":
    main()
