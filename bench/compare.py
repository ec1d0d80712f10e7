#!/usr/bin/env python3
"""Runs Den and llama.cpp in turn on the same files and threads and prints ratios: the source of README's figures.

    bench/compare.py --rival-python PYTHON MODEL.gguf ... [--rows prefill,depth0,depth512,depth4096,batch16,load]
                     [--threads 2] [--rounds 5] [--cpu-features LIST] [--json FILE]

PYTHON has llama-cpp-python installed; bench/peers/llama_cpp_bench.py says how to build it at its best. With --cpu-features
Den uses only those instruction sets, and PYTHON must be that of a llama.cpp built for the same ones.

Both engines have the model loaded and take turns, one measurement each; the rival's flash attention is tried both ways
first and the better way kept, for each row. Printed are the medians over the rounds, their spread (lowest to highest) and the
median of the ratios Den / llama.cpp of neighbouring runs: figures drift on shared machines, those ratios hardly. `roofline`
is what the bandwidth that Den measures at the end of its run allows, and the share of it that Den's decoding reaches.
Load times are of processes started in turn, the file in the page cache.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

from measure import HERE, Paced, ROOT, commit, machine, ratios, run_json, shown, summary, table

ROWS = {  # name: (what it measures, prompt, generate, depth, sequences)
    "prefill": ("prompt", 512, 0, 0, 1),
    "depth0": ("generate", 0, 64, 0, 1),
    "depth512": ("generate", 0, 32, 512, 1),
    "depth4096": ("generate", 0, 16, 4096, 1),
    "batch16": ("generate", 0, 8, 512, 16),
}
TITLES = {"prefill": "prompt of 512 tokens, tokens/s", "depth0": "generating, tokens/s",
          "depth512": "generating with 512 tokens cached, tokens/s",
          "depth4096": "generating with 4,096 tokens cached, tokens/s",
          "batch16": "16 sequences with 512 tokens each, tokens/s in all", "memory": "peak memory, MiB",
          "load": "first load, s", "second_load": "second load, packed weights kept, s"}


def shape(a, row):
    _, prompt, generate, depth, sequences = ROWS[row]
    if generate and a.generate:
        generate = a.generate
    return ["--prompt", prompt, "--generate", generate, "--depth", depth, "--sequences", sequences, "--threads", a.threads]


def ours(a, model, row):
    command = [a.program, "bench", "--json", "--paced", "-m", model, *shape(a, row)]
    return command + (["--cpu-features", a.cpu_features] if a.cpu_features else [])


def theirs(a, model, row, flash):
    return [a.rival_python, HERE / "peers/llama_cpp_bench.py", model, *shape(a, row), "--paced", flash]


def best_rival(a, model, row):
    """The rival with flash attention off or on, whichever is faster now. The other is closed."""
    what = ROWS[row][0]
    best, best_rate = None, 0
    for flash in ("off", "on"):
        rival = Paced(theirs(a, model, row, flash))
        rival.measure(what)  # warms up and fills its cache
        rate = rival.measure(what)
        if best and rate <= best_rate:
            rival.close()
            continue
        if best:
            best.close()
        best, best_rate, best_flash = rival, rate, flash
    return best, best_flash


def compare_row(a, model, row):
    what = ROWS[row][0]
    den = Paced(ours(a, model, row))
    den.measure(what)
    rival, flash = best_rival(a, model, row)
    print(f"{row}: both are ready", file=sys.stderr, flush=True)
    rates = [(den.measure(what), rival.measure(what)) for _ in range(a.rounds)]
    den_report, rival_report = den.close(), rival.close()
    made = {"den": summary([r[0] for r in rates]), "llama.cpp": summary([r[1] for r in rates]),
            "ratio": ratios([r[0] for r in rates], [r[1] for r in rates]), "rival_flash_attention": flash,
            "memory": {"den": den_report["peak_memory_mib"], "llama.cpp": rival_report["peak_memory_mib"]}}
    if what == "generate" and ROWS[row][4] == 1:  # a batch is bound by arithmetic
        bytes_per_step = den_report["weight_bytes_per_step"] + den_report["cache_bytes_per_step"]
        ceiling = den_report["read_gb_per_s"] * 1e9 / bytes_per_step
        made["roofline"] = {"read_gb_per_s": round(den_report["read_gb_per_s"], 1), "bytes_per_step": bytes_per_step,
                            "ceiling_tokens_per_s": round(ceiling, 1),
                            "share": round(made["den"]["median"] / ceiling, 3)}
    return made, den_report, rival_report


def compare_loads(a, model):
    """Seconds until a process of each engine could begin to answer. Den's first load packs the weights and keeps them, its
    second maps what was kept; each round begins in an empty home."""
    tiny = ["--prompt", 0, "--generate", 1, "--runs", 1, "--threads", a.threads]
    masked = ["--cpu-features", a.cpu_features] if a.cpu_features else []
    command = [a.program, "bench", "--json", "-m", pathlib.Path(model).resolve(), *tiny, *masked]
    den, second, rival = [], [], []
    for _ in range(a.rounds):
        with tempfile.TemporaryDirectory() as home:
            environment = {**os.environ, "DEN_HOME": home}
            den.append(run_json(command, env=environment)["load_s"])
            again = run_json(command, env=environment)
            if again.get("packed") == "mapped":
                second.append(again["load_s"])
        rival.append(run_json([a.rival_python, HERE / "peers/llama_cpp_bench.py", model, *tiny])["load_s"])
    made = {"load": {"den": summary(den, 3), "llama.cpp": summary(rival, 3), "ratio": ratios(den, rival)}}
    if len(second) == len(den):
        made["second_load"] = {"den": summary(second, 3), "llama.cpp": summary(rival, 3),
                               "ratio": ratios(second, rival), "of_first": ratios(second, den)}
    return made


def compare_model(a, model):
    made = {"model": pathlib.Path(model).name, "rows": {}}
    for row in a.rows:
        print(f"{row}: {made['model']}", file=sys.stderr, flush=True)
        if row == "load":
            made["rows"].update(compare_loads(a, model))
            continue
        made["rows"][row], den, rival = compare_row(a, model, row)
        made["rival"] = "llama.cpp of llama-cpp-python " + rival["version"]
        made["cpu_features"] = den["cpu_features"]
        if "memory" not in made["rows"]:  # of the first row: a prompt of 512 where it is asked for
            memory = made["rows"][row]["memory"]
            made["rows"]["memory"] = {side: {"median": v, "low": v, "high": v} for side, v in memory.items()}
            made["rows"]["memory"]["ratio"] = {"median": round(memory["den"] / memory["llama.cpp"], 3)}
    return made


def lines_of(result):
    """Rows of the Markdown table of one model."""
    for name, row in result["rows"].items():
        digits = 3 if "load" in name else 0
        share = f"{100 * row['roofline']['share']:.0f} % of {row['roofline']['read_gb_per_s']:.0f} GB/s" \
            if "roofline" in row else ""
        yield [TITLES[name], shown(row["den"], digits), shown(row["llama.cpp"], digits),
               f"{row['ratio']['median']:.2f}x", share]


def markdown(results):
    for result in results["models"]:
        yield (f"{result['model']}, {results['machine']['threads']} threads, {result.get('cpu_features', '')}, "
               f"against {result.get('rival', 'llama.cpp')}, {results['rounds']} rounds\n")
        yield table(["", "Den", "llama.cpp", "ratio", "roofline"], lines_of(result)) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.gguf")
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--rows", default="prefill,depth0,depth512,depth4096,batch16,load",
                        type=lambda text: text.split(","))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--generate", type=int, help="tokens of each decode measurement; 8 to 64 by the row")
    parser.add_argument("--cpu-features", help="for Den; the rival must be built for the same")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, - for standard output")
    a = parser.parse_args()
    unknown = [row for row in a.rows if row not in ROWS and row != "load"]
    if unknown:
        parser.error(f"no row {unknown[0]}; there are {', '.join([*ROWS, 'load'])}")
    results = {"what": "compare", **commit(), "machine": machine(a.threads), "rounds": a.rounds,
               "masked": a.cpu_features, "models": [compare_model(a, model) for model in a.models]}
    if a.json == "-":
        print(json.dumps(results))
        return
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(markdown(results)))


if __name__ == "__main__":
    main()
