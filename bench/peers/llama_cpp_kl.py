#!/usr/bin/env python3
"""How far llama.cpp's predictions are from fp32 on the same weights, by the rule of `den perplexity --reference fp32`.

    llama_cpp_kl.py MODEL.gguf TEXT --windows OUT.json [--chunks 10]       # writes the windows that are scored, in tokens
    llama_cpp_kl.py MODEL.gguf TEXT --reference LOGITS.npy [--chunks 10]   # compares; prints one JSON object

LOGITS.npy comes from reference_logits.py, made of the same windows. For each scored position: the Kullback-Leibler divergence
of llama.cpp's distribution from the reference's, in nats, and whether both find the same token likeliest. Flash attention on
and off are both measured. Set-up as in llama_cpp_bench.py.
"""
import argparse
import json
import math

import llama_cpp
import numpy as np


def windows_of(model, path, context, chunks):
    with open(path, "rb") as file:
        tokens = model.tokenize(file.read(), add_bos=False, special=False)
    count = len(tokens) // context
    count = min(count, chunks) if chunks else count
    return [tokens[i * context:(i + 1) * context] for i in range(count)]


def log_softmax(logits):
    highest = logits.max(axis=1, keepdims=True)
    return logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))


def measure(model, windows, reference):
    losses, divergences, agreed, at = [], [], 0, 0
    for window in windows:
        first = len(window) // 2
        model.reset()
        model.eval(window)
        ours = log_softmax(np.asarray(model.scores[first:len(window) - 1], dtype=np.float64))
        theirs = np.asarray(reference[at:at + len(ours)], dtype=np.float64)
        at += len(ours)
        losses.extend(-ours[np.arange(len(ours)), window[first + 1:]])
        divergences.extend((np.exp(theirs) * (theirs - ours)).sum(axis=1))
        agreed += int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
    targets = np.concatenate([window[len(window) // 2 + 1:] for window in windows])
    expected = -reference[np.arange(len(targets)), targets].astype(np.float64)
    ranked = sorted(divergences)
    return {"scored_tokens": len(losses), "perplexity": math.exp(sum(losses) / len(losses)),
            "reference_perplexity": math.exp(expected.mean()), "kl_mean": sum(divergences) / len(divergences),
            "kl_999": ranked[(len(ranked) - 1) * 999 // 1000], "top1_agreement": agreed / len(losses)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--windows")
    parser.add_argument("--reference")
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    if bool(a.windows) == bool(a.reference):
        raise SystemExit("one of --windows and --reference is needed")

    def load(flash):
        return llama_cpp.Llama(a.model, n_ctx=a.context, n_batch=a.context, logits_all=not a.windows, verbose=False,
                               vocab_only=bool(a.windows), n_threads=a.threads, n_threads_batch=a.threads, flash_attn=flash)

    if a.windows:
        with open(a.windows, "w") as file:
            json.dump(windows_of(load(False), a.text, a.context, a.chunks), file)
        return
    reference = np.load(a.reference, mmap_mode="r")
    made = {"engine": "llama.cpp", "version": llama_cpp.__version__, "model": a.model.rsplit("/", 1)[-1]}
    for name, flash in (("flash_attention_off", False), ("flash_attention_on", True)):
        model = load(flash)
        made[name] = measure(model, windows_of(model, a.text, a.context, a.chunks), reference)
        model.close()
    print(json.dumps(made))


if __name__ == "__main__":
    main()
