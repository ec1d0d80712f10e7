#!/usr/bin/env python3
"""What the prefix cache brings: the time to the first token of a long system prompt, the first time, in another
conversation, and after a restart of the server.

    bench/prefix.py [--program build/release/den] [--model NAME] [--tokens 2000] [--rounds 5] [--threads 2]
                    [--json [FILE]]

Each round has a system prompt of its own, so that the first request finds nothing. All go through the real server and its
sandboxed worker, in a folder of its own that takes the model from $DEN_HOME (or the default one). `ratio` is the median of
each round's time over that round's first time: both come from the same minute, which matters on shared machines. The
answers are greedy; `same_answers` says whether the one that found everything cached is the one that read everything.
"""
import argparse
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
import urllib.request

from measure import ROOT, hand_out, json_option, stamp

WORDS = ("answer the question from notes below and name your source if there is one keep short plain words never invent "
         "dates say when unsure list steps in order prefer metric units write for readers who know nothing of it").split()


class Server:
    def __init__(self, program, home, model, threads):
        command = [program, "serve", "--port", "0", "--model", model, "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(home)})
        line = self.process.stdout.readline()
        match = re.search(r"(http://\S+?:\d+)", line)
        if not match:
            raise SystemExit(f"the server did not start: {line}")
        self.url = match.group(1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def ask(self, system, question, count=16):
        """Seconds to the first token, the answer, and what the server says of the prompt."""
        body = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
                "temperature": 0, "max_tokens": count, "stream": True, "stream_options": {"include_usage": True}}
        request = urllib.request.Request(f"{self.url}/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        text, first, usage = "", None, None
        began = time.monotonic()
        with urllib.request.urlopen(request) as answer:
            for line in answer:
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                usage = event.get("usage") or usage
                for choice in event["choices"]:
                    piece = choice["delta"].get("content") or ""
                    if piece and first is None:
                        first = time.monotonic() - began
                    text += piece
        return {"seconds": first, "text": text, "prompt_tokens": usage["prompt_tokens"],
                "cached_tokens": usage["prompt_tokens_details"]["cached_tokens"]}


def make_home(folder, model):
    source = pathlib.Path(os.environ.get("DEN_HOME", os.path.expanduser("~/.local/share/den")))
    (folder / "models").mkdir()
    (folder / "models" / model).symlink_to((source / "models" / model).resolve())


def wait_written(home):
    """Until the prefix file grows no more: pages are written when the server is idle."""
    size = -1
    while True:
        now = sum(path.stat().st_blocks for path in (home / "prefix").glob("*.prefix"))
        if now == size:
            return now * 512
        size = now
        time.sleep(0.5)


def figures_of(a, head, rounds):
    """From the answers of each round."""
    report = {**head, "model": pathlib.Path(a.model).name, "rounds": a.rounds, "threads": a.threads,
              "prompt_tokens": rounds[0]["first"]["prompt_tokens"],
              "first_ms": round(1000 * statistics.median(row["first"]["seconds"] for row in rounds), 1),
              "file_mib": round(rounds[-1]["file_bytes"] / 2**20, 1)}
    for name in ("second", "again", "restarted"):
        ratios = [row[name]["seconds"] / row["first"]["seconds"] for row in rounds]
        report[name] = {"ms": round(1000 * statistics.median(row[name]["seconds"] for row in rounds), 1),
                        "ratio": round(statistics.median(ratios), 4), "low": round(min(ratios), 4),
                        "high": round(max(ratios), 4),
                        "cached_tokens": statistics.median_low([row[name]["cached_tokens"] for row in rounds])}
    report["same_answers"] = all(row["first"]["text"] == row["again"]["text"] == row["restarted"]["text"] for row in rounds)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    json_option(parser)
    a = parser.parse_args()
    head = stamp("prefix", a.threads)
    generator = random.Random(a.seed)
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        make_home(home, a.model)
        server = Server(a.program, home, a.model, a.threads)
        server.ask("Be brief.", "Warm up.")
        for _ in range(a.rounds):
            system = " ".join(generator.choices(WORDS, k=a.tokens))
            row = {"first": server.ask(system, "What is a page?"), "second": server.ask(system, "Who reads this?"),
                   "again": server.ask(system, "What is a page?")}
            row["file_bytes"] = wait_written(home)
            server.end()
            server = Server(a.program, home, a.model, a.threads)
            server.ask("Be brief.", "Warm up.")
            row["restarted"] = server.ask(system, "What is a page?")
            rounds.append(row)
        server.end()
    report = figures_of(a, head, rounds)
    if hand_out(report, a.json):
        return
    print(f"{a.model}: {report['prompt_tokens']} tokens, {a.rounds} rounds, {a.threads} threads; "
          f"first token the first time after {report['first_ms']} ms")
    for name, what in (("second", "another conversation"), ("again", "the same prompt"), ("restarted", "after a restart")):
        row = report[name]
        print(f"  {what:22} {row['ms']:8.1f} ms  {100 * row['ratio']:5.1f} % ({100 * row['low']:.1f} to "
              f"{100 * row['high']:.1f}), {row['cached_tokens']} cached")
    print(f"  answers {'equal' if report['same_answers'] else 'DIFFER'}; file {report['file_mib']} MiB")


if __name__ == "__main__":
    main()
