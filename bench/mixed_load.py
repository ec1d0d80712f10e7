#!/usr/bin/env python3
"""Requests of mixed lengths through the real server, all at once against one at a time: what continuous batching brings.

    bench/mixed_load.py --text TEXT [-m MODEL] [--requests 32] [--parallel 32] [--rounds 3] [--threads 2]
                        [--json [FILE]]

Prompts are paragraphs of TEXT (any text file with a paragraph a line, such as wikitext); how long an answer is to be is drawn
from the lengths of its paragraphs as well, so that short and long ones come mixed. The draw is the same each time. Both ways
of serving get the same requests, each with a mark of its own in front, so that nothing is found in the cache of the other.

Utilisation is the tokens that were computed (read or generated) a second, as a share of the most that this engine computes a
second, measured in the same minutes by `den bench`: a prompt of 512 tokens, or 32 sequences at once, whichever is more. The
longest stall is the longest time that any stream waited between two of its tokens; a step with the largest chunk that a prompt
may take while others decode (a quarter of 512 rows) bounds it.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time

from measure import ROOT, end_when_told, hand_out, json_option, run_json, stamp, summary

WORDS_TO_TOKENS = 1.4


def draw(path, count, seed, longest_prompt, longest_answer):
    """(prompt, tokens wanted) for each request."""
    paragraphs = [line.strip() for line in pathlib.Path(path).read_text(errors="replace").splitlines()]
    paragraphs = [p for p in paragraphs if len(p.split()) >= 8 and not p.startswith("=")]
    if len(paragraphs) < count:
        raise SystemExit(f"{path}: {len(paragraphs)} paragraphs of 8 words or more; {count} requests need as many")
    dice = random.Random(seed)
    prompts = dice.sample(paragraphs, count)
    answers = dice.sample(paragraphs, count)
    return [(" ".join(p.split()[:longest_prompt]),
             max(8, min(longest_answer, round(len(a.split()) * WORDS_TO_TOKENS)))) for p, a in zip(prompts, answers)]


class Server:
    def __init__(self, a):
        self.home = tempfile.TemporaryDirectory()
        environment = {**os.environ, "DEN_HOME": os.environ.get("DEN_HOME", self.home.name)}
        self.process = subprocess.Popen(
            [str(a.program), "serve", "-m", a.model, "--port", "0", "--parallel", str(a.parallel), "--threads",
             str(a.threads), "--context", "2048", "--log-level", "warning"],
            stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        found = re.search(r"https?://\S+?:(\d+)", line)
        if not found:
            raise SystemExit(f"den serve did not start: {line}")
        self.port = int(found.group(1))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.home.cleanup()

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return {name: float(value) for name, value in re.findall(r"^([a-z_:]+)(?:\{[^}]*\})? ([-+0-9.e]+)$", text, re.M)}


def ask(port, prompt, tokens):
    """One stream: when it began, when each chunk came, and what was computed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    begun = time.perf_counter()
    connection.request("POST", "/v1/completions", json.dumps(
        {"prompt": prompt, "max_tokens": tokens, "stream": True, "temperature": 0, "ignore_eos": True,
         "stream_options": {"include_usage": True}}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"HTTP {answer.status}: {answer.read().decode()}")
    times, usage = [], None
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        chunk = json.loads(line[6:])
        usage = chunk.get("usage") or usage
        if chunk["choices"] and chunk["choices"][0].get("text"):
            times.append(time.perf_counter())
    connection.close()
    return {"begun": begun, "times": times, "ended": time.perf_counter(), "prompt_tokens": usage["prompt_tokens"],
            "cached_tokens": (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
            "generated_tokens": usage["completion_tokens"]}


def serve(port, requests, mark, together):
    marked = [(f"[{mark}{i}] {prompt}", tokens) for i, (prompt, tokens) in enumerate(requests)]
    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(len(marked) if together else 1) as pool:
        streams = list(pool.map(lambda r: ask(port, *r), marked))
    total = time.perf_counter() - begun
    first = [s["times"][0] - s["begun"] for s in streams if s["times"]]
    stalls = [max((b - a for a, b in zip(s["times"], s["times"][1:])), default=0) for s in streams]
    computed = sum(s["prompt_tokens"] - s["cached_tokens"] + s["generated_tokens"] for s in streams)
    return {"total_s": total, "tokens_per_s": computed / total, "tokens": computed,
            "first_token_s": statistics.median(first), "first_token_s_max": max(first), "longest_stall_s": max(stalls)}


def peak(a):
    """The most tokens a second that the engine computes."""
    def bench(*shape):
        return run_json([a.program, "bench", "--json", "-m", a.model, "--threads", a.threads, "--runs", 1, *shape])
    prompt = bench("--prompt", 512, "--generate", 0)["prompt_tokens_per_s"]
    batch = bench("--prompt", 0, "--generate", 16, "--depth", 32, "--sequences", 32)["generated_tokens_per_s"]
    return max(prompt, batch)


def figures_of(a, head, peaks, ways, utilisation):
    """From the runs of both ways, one of each a round."""
    gains = [t["tokens_per_s"] / o["tokens_per_s"] for o, t in zip(ways["one_at_a_time"], ways["together"])]
    return {**head, "model": pathlib.Path(a.model).name, "requests": a.requests, "parallel": a.parallel, "rounds": a.rounds,
            "peak_tokens_per_s": summary(peaks), "gain": summary(gains, 3), "metrics_utilisation": utilisation,
            **{way: {name: summary([run[name] for run in runs], 3) for name in runs[0]} for way, runs in ways.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("-m", "--model", default="smollm2")
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--parallel", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--longest-prompt", type=int, default=300, metavar="WORDS")
    parser.add_argument("--longest-answer", type=int, default=128, metavar="TOKENS")
    parser.add_argument("--seed", type=int, default=1)
    json_option(parser)
    a = parser.parse_args()
    end_when_told()
    head = stamp("mixed_load", a.threads)
    requests = draw(a.text, a.requests, a.seed, a.longest_prompt, a.longest_answer)
    server = Server(a)
    peaks, ways = [], {"one_at_a_time": [], "together": []}
    try:
        ask(server.port, "To warm up.", 4)
        for i in range(a.rounds):
            peaks.append(peak(a))
            for way, runs in ways.items():
                runs.append(serve(server.port, requests, f"{way[0]}{i}.", way == "together"))
                runs[-1]["utilisation"] = runs[-1]["tokens_per_s"] / peaks[-1]
        utilisation = server.metrics().get("den_worker_utilisation_ratio")
    finally:
        server.end()
    made = figures_of(a, head, peaks, ways, utilisation)
    if hand_out(made, a.json):
        return
    print(f"{a.requests} requests, peak {made['peak_tokens_per_s']['median']:.0f} tokens/s")
    for name in made["together"]:
        print(f"  {name:18} one at a time {made['one_at_a_time'][name]['median']:10.3f}   "
              f"together {made['together'][name]['median']:10.3f}")
    print(f"  gain {made['gain']['median']:.2f}x ({made['gain']['low']:.2f} to {made['gain']['high']:.2f})")


if __name__ == "__main__":
    main()
