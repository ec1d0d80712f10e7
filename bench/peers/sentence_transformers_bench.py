"""The rival's side of bench/embed.py: sentence-transformers, one pass over all texts for each line of input.

    sentence_transformers_bench.py MODEL_FOLDER TEXTS.jsonl THREADS BATCHES VECTORS_OUT
"""
import json
import sys
import time

import sentence_transformers
import torch


def main():
    folder, path, threads, batches, out = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    texts = [value if isinstance(value, str) else value["text"] for value in map(json.loads, open(path))]
    tokens = sum(min(len(ids), model.max_seq_length) for ids in model.tokenizer(texts)["input_ids"])

    def timed(some, batch):
        start, processor = time.perf_counter(), time.process_time()
        vectors = model.encode(some, batch_size=batch, show_progress_bar=False)
        return time.perf_counter() - start, time.process_time() - processor, vectors

    part = texts[:256]
    timed(part[:64], 32)
    best = min(map(int, batches.split(",")), key=lambda batch: min(timed(part, batch)[0] for _ in range(2)))
    version = f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}"
    for _ in sys.stdin:
        seconds, processor, vectors = timed(texts, best)
        vectors.astype("<f4").tofile(out)
        print(json.dumps({"seconds": seconds, "processor_s": processor, "tokens": tokens, "batch": best,
                          "tokens_per_s": round(tokens / seconds), "version": version}), flush=True)


if __name__ == "__main__":
    main()
