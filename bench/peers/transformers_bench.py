#!/usr/bin/env python3
"""The unoptimised baseline: transformers (PyTorch) on a GGUF's weights, a request at a time, for bench/end_to_end.py.

    pip install torch transformers gguf accelerate
    transformers_bench.py MODEL.gguf --dtype float32|bfloat16 --threads 2

The weights are unpacked to the type given. Then it answers each line of JSON on standard input, {"prompt": text, "tokens": n},
with one line: prompt tokens, seconds to the first token, seconds to the last; greedy, with the key/value cache on, ends
ignored.
"""
import argparse
import json
import os
import pathlib
import resource
import sys
import time

os.environ.setdefault("TQDM_DISABLE", "1")  # before what reads it

import torch
import transformers


class Clock(transformers.generation.streamers.BaseStreamer):
    """Notes when each token comes; the first call is the prompt."""

    def __init__(self):
        self.times = []

    def put(self, value):
        self.times.append(time.perf_counter())

    def end(self):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    transformers.logging.set_verbosity_error()
    path = pathlib.Path(a.model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name,
                                                              dtype=getattr(torch, a.dtype)).eval()
    for line in sys.stdin:
        asked = json.loads(line)
        clock = Clock()
        begun = time.perf_counter()
        ids = tokenizer(asked["prompt"], return_tensors="pt", add_special_tokens=False).input_ids
        with torch.inference_mode():
            model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, streamer=clock,
                           max_new_tokens=asked["tokens"], min_new_tokens=asked["tokens"])
        print(json.dumps({"prompt_tokens": ids.shape[1], "first_token_s": clock.times[1] - begun,
                          "answer_s": time.perf_counter() - begun, "version": transformers.__version__,
                          "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


if __name__ == "__main__":
    main()
