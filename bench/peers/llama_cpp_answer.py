#!/usr/bin/env python3
"""llama.cpp a request at a time, for bench/end_to_end.py: its own tokenizer, a greedy sampler, ends ignored.

    llama_cpp_answer.py MODEL.gguf --threads 2 --flash off|on

Answers each line of JSON on standard input, {"prompt": text, "tokens": n}, with one line: prompt tokens, seconds to the first
token, seconds to the last. llama_cpp_bench.py says how to build it.
"""
import argparse
import ctypes
import json
import resource
import sys
import time

import llama_cpp as L


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flash", choices=("off", "on"), default="off")
    parser.add_argument("--context", type=int, default=2048)
    a = parser.parse_args()
    quiet = L.llama_log_callback(lambda level, text, data: None)
    L.llama_log_set(quiet, ctypes.c_void_p())
    L.llama_backend_init()
    model = L.llama_model_load_from_file(a.model.encode(), L.llama_model_default_params())
    vocabulary = L.llama_model_get_vocab(model)
    options = L.llama_context_default_params()
    options.n_ctx = options.n_batch = a.context
    options.n_threads = options.n_threads_batch = a.threads
    options.flash_attn_type = 1 if a.flash == "on" else 0
    context = L.llama_init_from_model(model, options)
    sampler = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
    L.llama_sampler_chain_add(sampler, L.llama_sampler_init_greedy())
    for line in sys.stdin:
        asked = json.loads(line)
        text = asked["prompt"].encode()
        L.llama_memory_clear(L.llama_get_memory(context), True)
        begun = time.perf_counter()
        tokens = (ctypes.c_int32 * a.context)()
        count = L.llama_tokenize(vocabulary, text, len(text), tokens, a.context, False, False)
        if count < 0 or count + asked["tokens"] > a.context:
            raise SystemExit(f"{abs(count)} tokens and an answer do not fit in {a.context}")
        batch = L.llama_batch_get_one(tokens, count)
        one = (ctypes.c_int32 * 1)()
        first = None
        for _ in range(asked["tokens"]):
            if L.llama_decode(context, batch):
                raise SystemExit("llama_decode failed")
            one[0] = L.llama_sampler_sample(sampler, context, -1)
            first = first or time.perf_counter()
            batch = L.llama_batch_get_one(one, 1)
        print(json.dumps({"prompt_tokens": count, "first_token_s": first - begun,
                          "answer_s": time.perf_counter() - begun, "version": L.__version__,
                          "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


if __name__ == "__main__":
    main()
