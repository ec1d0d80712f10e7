#!/usr/bin/env python3
"""Measures llama.cpp's prompt lookup (llama-cpp-python's LlamaPromptLookupDecoding) against its plain decoding.

    llama_cpp_lookup.py MODEL.gguf --tokens 200 --threads 2 --rounds 5 < PROMPT

Greedy; prints one JSON object with the tokens per second of each round without and with lookup, taken in turn. Two guesses are
asked for, which its authors recommend for processors, and ten, their default; the better of the two counts. With a draft
model llama-cpp-python computes the logits of every token, the prompt's too; the time until the first token is not counted.
"""
import argparse
import json
import statistics
import sys
import time

import llama_cpp
from llama_cpp import Llama
from llama_cpp.llama_speculative import LlamaPromptLookupDecoding


def rate(llama, prompt, tokens):
    times = []
    for token in llama.generate(prompt, temp=0.0, reset=True):
        times.append(time.perf_counter())
        if len(times) == tokens or token == llama.token_eos():
            break
    return (len(times) - 1) / (times[-1] - times[0])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model")
    ap.add_argument("--tokens", type=int, default=200)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--rounds", type=int, default=5)
    a = ap.parse_args()
    text = sys.stdin.read()

    def load(guesses):
        draft = LlamaPromptLookupDecoding(num_pred_tokens=guesses) if guesses else None
        return Llama(a.model, n_ctx=2048, n_threads=a.threads, n_threads_batch=a.threads, draft_model=draft, verbose=False)

    plain, two, ten = load(0), load(2), load(10)
    prompt = plain.tokenize(text.encode(), add_bos=False, special=True)
    rates = [[], [], []]
    for _ in range(a.rounds):
        for llama, made in zip((plain, two, ten), rates):
            made.append(rate(llama, prompt, a.tokens))
    best = max(rates[1:], key=statistics.median)
    print(json.dumps({"plain": rates[0], "lookup": best, "guesses": 2 if best is rates[1] else 10,
                      "version": llama_cpp.__version__}))


if __name__ == "__main__":
    main()
