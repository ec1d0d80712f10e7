#!/usr/bin/env python3
"""What a GGUF's weights say in fp32: log-probabilities by transformers, for others to be compared with.

    reference_logits.py MODEL.gguf WINDOWS.json OUT.npy [--threads 2]

WINDOWS.json has lists of token ids. Each is read from an empty cache, and the predictions of its second half are kept, as
`den perplexity` scores them: for a window of n tokens, those at n / 2 to n - 2. OUT.npy is f32, (predictions of all windows,
vocabulary). transformers dequantizes the file to fp32, so what is compared with it differs by arithmetic alone.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("windows", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(a.model.parent, gguf_file=a.model.name, dtype=torch.float32)
    model.eval()
    windows = json.loads(a.windows.read_text())
    kept = []
    with torch.no_grad():
        for window in windows:
            logits = model(torch.tensor([window])).logits[0, len(window) // 2:-1]
            kept.append(torch.log_softmax(logits.double(), dim=-1).float().numpy())
    np.save(a.out, np.concatenate(kept))
    print(json.dumps({"engine": "transformers fp32", "version": transformers.__version__, "predictions": sum(map(len, kept))}))


if __name__ == "__main__":
    main()
