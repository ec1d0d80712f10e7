#!/usr/bin/env python3
"""How long a model takes to open: packed in memory, packed into its file, and mapped from it, beside llama.cpp.

    bench/load.py --rival-python PYTHON MODEL.gguf ... [--threads 2] [--rounds 5] [--json FILE]

PYTHON has llama-cpp-python installed. Four processes take turns, the model's file in the page cache: `none` packs in memory
(DEN_PACKED=off), `made` packs into a new file, `mapped` finds it, and the rival loads and closes. Each figure is the engine's
own time from path to a model that can answer, tokenizer included. `mapped` sums every byte of the file, as a verb in a process
of its own does; `den serve` sums a file once. Peak memory is that of a process that opened the model, read 64 tokens and wrote
16, the rival's without flash attention.
"""
import argparse
import json
import os
import pathlib
import shutil
import tempfile

from measure import HERE, ROOT, commit, machine, ratios, run_json, shown, summary, table

SHAPE = ["--prompt", 64, "--generate", 16, "--runs", 1]


def load(a, model, home, wish):
    env = {**os.environ, "DEN_HOME": str(home), "DEN_PACKED": wish}
    return run_json([a.program, "bench", "--json", "-m", model, "--threads", a.threads, *SHAPE], env=env)


def compare(a, model):
    seconds = {"none": [], "made": [], "mapped": [], "llama.cpp": []}
    memory = {"none": [], "mapped": [], "llama.cpp": []}
    with tempfile.TemporaryDirectory(dir=a.scratch) as scratch:
        home = pathlib.Path(scratch)
        for _ in range(a.rounds):
            for state, wish in (("none", "off"), ("made", "all"), ("mapped", "all")):
                report = load(a, model, home, wish)
                if report["packed"] != state:
                    raise SystemExit(f"{model}: a load that should have been '{state}' was '{report['packed']}'")
                seconds[state].append(report["load_s"])
                if state in memory:
                    memory[state].append(report["peak_memory_mib"])
            shutil.rmtree(home / "packed")
            rival = run_json([a.rival_python, HERE / "peers/llama_cpp_bench.py", model, "--threads", a.threads, *SHAPE])
            seconds["llama.cpp"].append(rival["load_s"])
            memory["llama.cpp"].append(rival["peak_memory_mib"])
    return {"model": model, "load_s": {name: summary(values, 3) for name, values in seconds.items()},
            "mapped_ratio": ratios(seconds["mapped"], seconds["llama.cpp"]),
            "memory_mib": {name: summary(values) for name, values in memory.items()},
            "memory_ratio": ratios(memory["mapped"], memory["llama.cpp"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--program", default=str(ROOT / "build/release/den"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scratch", help="folder on the disk to be measured; default: where temporary files go")
    parser.add_argument("--json")
    a = parser.parse_args()
    report = {**commit(), **machine(a.threads), "models": [compare(a, model) for model in a.models]}
    for made in report["models"]:
        print(f"\n{pathlib.Path(made['model']).name}\n")
        rows = [[name, shown(figure, 3), shown(made["memory_mib"][name]) if name in made["memory_mib"] else ""]
                for name, figure in made["load_s"].items()]
        rows.append(["mapped / llama.cpp", shown(made["mapped_ratio"], 2), shown(made["memory_ratio"], 2)])
        print(table(["", "load, s", "peak memory, MiB"], rows))
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(report, indent=1) + "\n")


main()
