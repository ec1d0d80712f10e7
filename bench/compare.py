#!/usr/bin/env python3
"""Runs Den and llama.cpp in turn on the same file and threads and prints ratios: the source of README's figures.

    bench/compare.py --rival-python PYTHON MODEL.gguf [--prompt 512] [--generate 64] [--depth 0] [--sequences 1]
                     [--threads 2] [--rounds 5] [--cpu-features LIST] [--json]

PYTHON has llama-cpp-python installed; bench/peers/llama_cpp_bench.py says how to build it at its best. Each round runs the one
engine, then the other; the medians over the rounds, their spread (lowest to highest) and the ratio Den / llama.cpp are
printed. Absolute figures drift on shared machines, the ratio of neighbouring runs does not.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
FIGURES = ["prompt_tokens_per_s", "generated_tokens_per_s", "load_s", "peak_memory_mib"]


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def summary(rows, figure):
    values = [row[figure] for row in rows]
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--program", default=HERE.parent / "build/release/den")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--sequences", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-features")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    shape = ["--prompt", a.prompt, "--generate", a.generate, "--depth", a.depth, "--sequences", a.sequences, "--threads",
             a.threads, "--runs", 1]
    ours = [a.program, "bench", "--json", "-m", a.model, *shape]
    if a.cpu_features:
        ours += ["--cpu-features", a.cpu_features]
    theirs = [a.rival_python, HERE / "peers/llama_cpp_bench.py", a.model, *shape]
    rounds = [(run(ours), run(theirs)) for _ in range(a.rounds)]
    result = {"model": pathlib.Path(a.model).name, "rival": "llama.cpp of llama-cpp-python " + rounds[0][1]["version"],
              "threads": a.threads, "prompt": a.prompt, "generate": a.generate, "depth": a.depth,
              "sequences": a.sequences, "rounds": a.rounds, "cpu_features": rounds[0][0].get("cpu_features")}
    for figure in FIGURES:
        if figure.startswith("prompt") and not a.prompt or figure.startswith("generated") and not a.generate:
            continue
        den, rival = (summary([pair[side] for pair in rounds], figure) for side in (0, 1))
        ratio = statistics.median(pair[0][figure] / pair[1][figure] for pair in rounds if pair[1][figure])
        result[figure] = {"den": den, "llama.cpp": rival, "ratio": round(ratio, 3)}
    if a.json:
        print(json.dumps(result))
        return
    print(f"{result['model']}, {a.threads} threads, prompt {a.prompt}, generate {a.generate}, depth {a.depth}, "
          f"{a.sequences} sequence(s), {a.rounds} rounds, against {result['rival']}")
    for figure in FIGURES:
        if figure in result:
            den, rival = result[figure]["den"], result[figure]["llama.cpp"]
            print(f"  {figure:24} den {den['median']:9.1f} ({den['low']:.1f} to {den['high']:.1f})   "
                  f"llama.cpp {rival['median']:9.1f} ({rival['low']:.1f} to {rival['high']:.1f})   "
                  f"ratio {result[figure]['ratio']:.2f}")


if __name__ == "__main__":
    main()
