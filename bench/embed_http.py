#!/usr/bin/env python3
"""What /v1/embeddings costs beyond the arithmetic: processor time of the front and of the model's process.

    bench/embed_http.py [--program build/release/den] [--limit 256] [--batch 64] [--rounds 3] [--models DEN_HOME/models]
                        MODEL_FOLDER TEXTS.jsonl

Starts `den serve` in a home of its own with the models of --models, sends the texts of the file ("text" of each line) in batches, as numbers and as base64
in turn, and prints one line of JSON a format: texts per second, processor seconds of the model's process and of the front
(HTTP, JSON, the wire), and the front's share of both. Processor time says more than the clock where machines are shared.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
WORDS = 120  # of a text: longer ones may not fit the model, which /v1/embeddings refuses
TICKS = os.sysconf("SC_CLK_TCK")


def ask(port, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode() if body else None,
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def seconds_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_until_ready(port, process):
    while process.poll() is None:
        try:
            return ask(port, "/health")
        except OSError:
            time.sleep(0.05)
    raise SystemExit("den serve ended early; its message is above")


def measure(port, front, model, batches, form):
    before, start = (seconds_of(front), seconds_of(model)), time.perf_counter()
    size = 0
    for batch in batches:
        size += len(ask(port, "/v1/embeddings", {"input": batch, "encoding_format": form}))
    took = time.perf_counter() - start
    return took, seconds_of(front) - before[0], seconds_of(model) - before[1], size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--program", default=HERE.parent / "build/release/den")
    data = os.environ.get("DEN_HOME") or os.path.expanduser("~/.local/share/den")
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path(data) / "models", help="with the default chat model")
    parser.add_argument("--limit", type=int, default=256)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=14327)
    a = parser.parse_args()
    texts = [json.loads(line)["text"] for line in a.texts.read_text().splitlines()[:a.limit]]
    texts = [" ".join(text.split()[:WORDS]) for text in texts if text.strip()]
    batches = [texts[i:i + a.batch] for i in range(0, len(texts), a.batch)]
    with tempfile.TemporaryDirectory() as home:
        (pathlib.Path(home) / "models").symlink_to(a.models.resolve())
        process = subprocess.Popen([str(a.program), "serve", "--port", str(a.port), "--embedding-model", str(a.model)],
                                   env={**os.environ, "DEN_HOME": home}, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(a.port, process)
            ask(a.port, "/v1/embeddings", {"input": ["wake up"]})
            workers = json.loads(ask(a.port, "/api/activity"))["workers"]
            model = next(worker["pid"] for worker in workers if worker["model"] != "smollm2")
            results = {"float": [], "base64": []}
            for _ in range(a.rounds):
                for form, rows in results.items():
                    rows.append(measure(a.port, process.pid, model, batches, form))
        finally:
            process.terminate()
            process.wait()
    for form, rows in results.items():
        took, front, worker, size = (statistics.median(column) for column in zip(*rows))
        print(json.dumps({"format": form, "texts": len(texts), "batch": a.batch, "rounds": a.rounds,
                          "texts_per_s": round(len(texts) / took, 1), "model_processor_s": round(worker, 3),
                          "front_processor_s": round(front, 3), "front_share": round(front / (front + worker), 4),
                          "reply_bytes": int(size)}))


if __name__ == "__main__":
    main()
