#!/usr/bin/env python3
"""Embeds a file's texts with Den and with sentence-transformers in turn, and prints throughput, ratio and agreement.

    bench/embed.py --rival-python PYTHON MODEL_FOLDER TEXTS.jsonl [--threads 2] [--rounds 5] [--limit N] [--batches 32,64,128]
                   [--program build/release/bench/bench_embed] [--cpu-features LIST] [--json]

TEXTS.jsonl has an object with "text" (or a string) on each line. PYTHON has sentence-transformers. Both load the model once,
then take turns over all texts; loading is not counted, tokenizing is. The rival runs first with each batch size of --batches
on a part of the texts and keeps the best. Medians over the rounds, their spread and the ratio Den / rival are printed, and
the cosine of both vectors of each text. Absolute figures drift on shared machines, the ratio of neighbouring runs less so;
where other programs take the cores, `processor_ratio`, of the processor time both took, says more than that of the clock.
"""
import argparse
import json
import math
import pathlib
import statistics
import struct
import tempfile

from measure import Side

HERE = pathlib.Path(__file__).resolve().parent


def read_vectors(path, count):
    data = path.read_bytes()
    width = len(data) // 4 // count
    return [struct.unpack_from(f"<{width}f", data, 4 * width * i) for i in range(count)]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def summary(rows):
    values = [row["tokens_per_s"] for row in rows]
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--program", default=HERE.parent / "build/release/bench/bench_embed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--batches", default="32,64,128")
    parser.add_argument("--cpu-features")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    lines = a.texts.read_text().splitlines()[:a.limit]
    with tempfile.TemporaryDirectory() as scratch:
        texts, ours, theirs = (pathlib.Path(scratch) / name for name in ("texts.jsonl", "den.f32", "rival.f32"))
        texts.write_text("\n".join(lines) + "\n")
        den = Side([a.program, a.model, texts, "--threads", a.threads, "--vectors", ours,
                    *(["--cpu-features", a.cpu_features] if a.cpu_features else [])], a.threads)
        rival = Side([a.rival_python, HERE / "peers/sentence_transformers_bench.py", a.model, texts, a.threads, a.batches,
                      theirs], a.threads)
        rounds = [(den.pass_(), rival.pass_()) for _ in range(a.rounds)]
        den.end()
        rival.end()
        pairs = list(zip(read_vectors(ours, len(lines)), read_vectors(theirs, len(lines))))
    cosines = [cosine(x, y) for x, y in pairs]
    result = {"model": a.model.resolve().name, "texts": len(lines), "tokens": rounds[0][0]["tokens"], "threads": a.threads,
              "rounds": a.rounds, "features": rounds[0][0]["features"], "rival": rounds[0][1]["version"],
              "rival_batch": rounds[0][1]["batch"], "den_tokens_per_s": summary([x for x, _ in rounds]),
              "rival_tokens_per_s": summary([y for _, y in rounds]),
              "ratio": statistics.median(y["seconds"] / x["seconds"] for x, y in rounds),
              "processor_ratio": statistics.median(y["processor_s"] / x["processor_s"] for x, y in rounds),
              "cosine_min": min(cosines), "cosine_mean": statistics.fmean(cosines)}
    if a.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:20} {value}")


if __name__ == "__main__":
    main()
