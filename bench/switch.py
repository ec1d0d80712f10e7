#!/usr/bin/env python3
"""Switching between models inside a budget of memory: `den serve` is asked for one model after the other, at random.

    bench/switch.py MODEL.gguf MODEL.gguf MODEL.gguf [--switches 1000] [--budget MIB] [--rival-python PYTHON]
                    [--packed all|off] [--seed 1] [--json [FILE]]

A switch is a question to another model than the last one: the time until its tokenizer has answered, which takes a model
that is loaded. It is `resident` where the model's worker was awake, `loaded` where it had to be started (others are put to
sleep first where the budget asks for it). After each, one token is generated, timed apart; an answer other than the first one
of that model is a failure, as is any error. Memory is the proportional set size of all of Den's processes, right after
switches to the same model: the last tenth of the run against the second tenth. --packed off is a load into fresh memory each
time; with --rival-python, llama-cpp-python closes one model and opens the next in one process, as often as --rival-switches
says.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ROOT, hand_out, json_option, stamp, table

RIVAL = """
import json, sys, time
from llama_cpp import Llama, __version__
order, models, threads = json.load(sys.stdin)
current, times = None, []
for which in order:
    begin = time.perf_counter()
    if current:
        current.close()
    current = Llama(models[which], n_ctx=8192, n_threads=threads, verbose=False)
    current.tokenize(b"hello")
    times.append([which, time.perf_counter() - begin])
print(json.dumps({"version": __version__, "times": times}))
"""


class Server:
    def __init__(self, a, home):
        env = {**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "DEN_PACKED": a.packed}
        command = [a.program, "serve", "-m", "model0", "--port", "0", "--threads", str(a.threads), "--memory", str(a.budget)]
        self.log = open(home / "serve.log", "w")
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit((home / "serve.log").read_text())
        self.connection = http.client.HTTPConnection("127.0.0.1", int(re.search(r"https?://\S+?:(\d+)", line).group(1)))

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:300]}")
        return json.loads(content)

    def awake(self):
        return {one["model"]: one["packed"] for one in self.ask("GET", "/api/activity")["workers"]
                if one["state"] == "ready"}

    def memory_mib(self):
        """Of the program and its workers; a page that two of them share counts half for each."""
        total = 0
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if int(entry.name) != self.process.pid:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent != self.process.pid:
                        continue
                total += int(re.search(r"^Pss:\s+(\d+)", (entry / "smaps_rollup").read_text(), re.M).group(1))
            except (OSError, ValueError, AttributeError):
                continue
        return total / 1024

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        self.log.close()


def switch(server, model):
    """The state that the model was in, and seconds."""
    awake = server.awake()
    begin = time.perf_counter()
    server.ask("POST", "/tokenize", {"content": "hello", "model": model})
    switched = time.perf_counter()
    text = server.ask("POST", "/v1/completions", {"model": model, "prompt": "Once upon a time", "max_tokens": 1,
                                                  "temperature": 0})["choices"][0]["text"]
    done = time.perf_counter()
    return {"model": model, "was": "resident" if model in awake else "loaded", "switch_ms": (switched - begin) * 1000,
            "token_ms": (done - switched) * 1000, "text": text}


def run(a, order):
    switches, failures, texts = [], [], {}
    with tempfile.TemporaryDirectory(dir=a.scratch) as scratch:
        home = pathlib.Path(scratch)
        (home / "models").mkdir()
        for i, path in enumerate(a.models):
            (home / f"models/model{i}.gguf").symlink_to(pathlib.Path(path).resolve())
        server = Server(a, home)
        try:
            for i in [*range(len(a.models)), *range(len(a.models))]:  # made, and then seen to be mapped
                first = switch(server, f"model{i}")
                texts[f"model{i}"] = first["text"]
            begin = time.monotonic()
            for number, which in enumerate(order):
                if a.minutes and time.monotonic() - begin > 60 * a.minutes:
                    print(f"time is up after {number} switches", file=sys.stderr)
                    break
                try:
                    made = switch(server, f"model{which}")
                except (RuntimeError, OSError, http.client.HTTPException) as error:
                    failures.append(f"switch {number} to model{which}: {error}")
                    server.connection.close()
                    continue
                if made["text"] != texts[made["model"]]:
                    failures.append(f"switch {number}: model{which} said {made['text']!r}")
                made["packed"] = server.awake().get(made["model"])
                made["memory_mib"] = server.memory_mib()
                made["awake"] = len(server.awake())
                switches.append(made)
                if number % 100 == 99:
                    print(f"{number + 1} switches, {len(failures)} failures", file=sys.stderr)
        finally:
            server.close()
    return switches, failures


def growth(a, switches):
    """Of memory, in like situations (the same model last, as many awake), of the medians; in percent."""
    tenth = len(switches) // 10
    early, late = switches[tenth:2 * tenth], switches[-tenth:]
    ratios = []
    for key in {(one["model"], one["awake"]) for one in early}:
        before, after = ([one["memory_mib"] for one in some if (one["model"], one["awake"]) == key] for some in (early, late))
        if len(before) >= 3 and len(after) >= 3:
            ratios.append(statistics.median(after) / statistics.median(before))
    return round(100 * (max(ratios) - 1), 2) if ratios else None


def spread(values):
    values = sorted(values)
    return {"count": len(values), "median": round(statistics.median(values), 2),
            "p99": round(values[min(len(values) - 1, int(len(values) * 0.99))], 2), "high": round(values[-1], 2)}


def rival(a, order):
    done = subprocess.run([a.rival_python, "-c", RIVAL], text=True, capture_output=True,
                          input=json.dumps([order[:a.rival_switches], a.models, a.threads]))
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def figures_of(a, head, switches, failures, rivals):
    report = {**head, "packed": a.packed, "switches": len(switches), "budget_mib": a.budget, "failures": failures,
              "memory_growth_percent": growth(a, switches), "models": []}
    for i, path in enumerate(a.models):
        mine = [one for one in switches if one["model"] == f"model{i}"]
        made = {"model": pathlib.Path(path).name, "mib": round(os.path.getsize(path) / 2**20)}
        for was in ("resident", "loaded"):
            if some := [one for one in mine if one["was"] == was]:
                made[was] = {"switch_ms": spread([one["switch_ms"] for one in some]),
                             "token_ms": spread([one["token_ms"] for one in some]),
                             "packed": sorted({str(one["packed"]) for one in some})}
        if times := [seconds * 1000 for which, seconds in rivals.get("times", []) if which == i]:
            made["llama.cpp"] = {**spread(times), "version": rivals["version"]}
        report["models"].append(made)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--program", default=str(ROOT / "build/release/den"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--switches", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=0, help="end after so long, with fewer switches; 0: never")
    parser.add_argument("--budget", type=int, default=1000, help="MiB for all models together")
    parser.add_argument("--packed", choices=["all", "off"], default="all")
    parser.add_argument("--rival-python")
    parser.add_argument("--rival-switches", type=int, default=20)
    parser.add_argument("--scratch")
    parser.add_argument("--seed", type=int, default=1)
    json_option(parser)
    a = parser.parse_args()
    head = stamp("switch", a.threads)
    chance = random.Random(a.seed)
    order, last = [], len(a.models) - 1
    while len(order) < a.switches:
        last = chance.choice([i for i in range(len(a.models)) if i != last])
        order.append(last)
    switches, failures = run(a, order)
    report = figures_of(a, head, switches, failures, rival(a, order) if a.rival_python else {})
    if not hand_out(report, a.json):
        rows = []
        for made in report["models"]:
            cells = [f"{made[was]['switch_ms']['median']:.1f} (p99 {made[was]['switch_ms']['p99']:.1f}, "
                     f"{made[was]['switch_ms']['count']} times)" if was in made else "" for was in ("resident", "loaded")]
            rows.append([made["model"], made["mib"], *cells, made.get("llama.cpp", {}).get("median", "")])
        print(table(["model", "MiB", "resident, ms", f"loaded ({'mapped' if a.packed == 'all' else 'packed anew'}), ms",
                     "llama-cpp-python, ms"], rows))
        print(f"{len(switches)} switches, {len(failures)} failures, memory grew by {report['memory_growth_percent']} %")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
