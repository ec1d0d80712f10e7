#!/usr/bin/env python3
"""How much of its decoding speed an engine keeps while another program keeps one core busy.

    bench/neighbour.py MODEL.gguf [--rival-python PYTHON] [--threads 2] [--rounds 5] [--busy 1] [--floating] [--pin]
                       [--json [FILE]]

Engines that spin at every barrier of a token collapse when one of their threads loses its core: the others burn theirs
waiting for it. A busy process that does nothing but count is kept on the first core (--floating: wherever the system puts
it; --busy N: N of them on as many cores), stopped and continued, so that each engine is measured alternately without and
with it. Printed is the share of the speed that is kept, the median of neighbouring measurements. With 2 threads on 2 cores and
one core loaded, three threads share two cores: no engine can keep more than three quarters, and one that waits for its
slowest thread keeps half at most. With --pin Den's threads are tied to a core each from outside, to see what that would do.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

from measure import HERE, Paced, ROOT, end_when_told, hand_out, json_option, ratios, stamp, summary

SETTLE_S = 0.3  # the system's scheduler moves threads to where there is room


class Neighbours:
    """Processes that burn a core each, stopped until wanted."""

    def __init__(self, count, floating):
        cores = sorted(os.sched_getaffinity(0))
        self.processes = []
        for i in range(count):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            process.send_signal(signal.SIGSTOP)
            if not floating:
                os.sched_setaffinity(process.pid, {cores[i % len(cores)]})
            self.processes.append(process)

    def send(self, number):
        for process in self.processes:
            process.send_signal(number)
        time.sleep(SETTLE_S)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def pin(pid):
    """Each thread of a process to a core of its own."""
    cores = sorted(os.sched_getaffinity(0))
    for i, thread in enumerate(sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))):
        os.sched_setaffinity(thread, {cores[i % len(cores)]})


def figures_of(a, head, rates, versions):
    """`rates` has each engine's speeds alone and with a neighbour; `times_den` is how much of its own speed Den keeps for
    each part of its own that the other keeps, of the same round."""
    kept = {name: [l / s for s, l in zip(alone, loaded)] for name, (alone, loaded) in rates.items()}
    engines = {name: {"alone": summary(alone), "with_neighbour": summary(loaded), "kept": ratios(loaded, alone)}
               for name, (alone, loaded) in rates.items()}
    for name in engines:
        if name != "den":
            engines[name].update(version=versions[name], times_den=ratios(kept["den"], kept[name]))
    return {**head, "model": pathlib.Path(a.model).name, "busy": a.busy, "floating": a.floating, "pinned": a.pin,
            "rounds": a.rounds, "engines": engines}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--rival-python")
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--busy", type=int, default=1)
    parser.add_argument("--floating", action="store_true")
    parser.add_argument("--pin", action="store_true")
    json_option(parser)
    a = parser.parse_args()
    end_when_told()
    head = stamp("neighbour", a.threads)
    shape = ["--prompt", 0, "--generate", a.generate, "--threads", a.threads]
    engines = {"den": Paced([a.program, "bench", "--json", "--paced", "-m", a.model, *shape])}
    if a.rival_python:
        engines["llama.cpp"] = Paced([a.rival_python, HERE / "peers/llama_cpp_bench.py", a.model, *shape,
                                      "--paced", "off"])
    neighbours = Neighbours(a.busy, a.floating)
    rates = {name: ([], []) for name in engines}
    try:
        for engine in engines.values():
            engine.measure("generate")  # to warm up
        if a.pin:
            pin(engines["den"].process.pid)
        for _ in range(a.rounds):
            for name, engine in engines.items():
                for loaded in (0, 1):
                    neighbours.send((signal.SIGSTOP, signal.SIGCONT)[loaded])
                    rates[name][loaded].append(engine.measure("generate"))
                neighbours.send(signal.SIGSTOP)
    finally:
        neighbours.end()
    made = figures_of(a, head, rates, {name: engine.close().get("version") for name, engine in engines.items()})
    if hand_out(made, a.json):
        return
    for name, figures in made["engines"].items():
        print(f"{name:10} alone {figures['alone']['median']:7.1f} tokens/s, with a neighbour "
              f"{figures['with_neighbour']['median']:7.1f}; keeps {100 * figures['kept']['median']:.0f} % "
              f"({100 * figures['kept']['low']:.0f} to {100 * figures['kept']['high']:.0f})")


if __name__ == "__main__":
    main()
