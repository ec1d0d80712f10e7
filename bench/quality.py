#!/usr/bin/env python3
"""What arithmetic in few bits costs, for Den and for llama.cpp: both engines' divergence from fp32 on the same file.

    bench/quality.py MODEL.gguf TEXT --baseline-python PYTHON --rival-python PYTHON [--chunks 10] [--program build/release/den]
                     [--cpu-features LIST] [--json FILE]

The first --chunks windows of 512 tokens of TEXT, the second half of each scored. Den is compared with its own fp32 mode, and
llama.cpp (RIVAL: a Python with llama-cpp-python) with transformers in fp32 on the dequantized file (BASELINE: one with torch and
transformers); that the two references agree is checked by their perplexities. These are no figures of speed: the
machine and what else runs on it change nothing.
"""
import argparse
import json
import pathlib
import sys
import tempfile

from measure import HERE, ROOT, commit, end_when_told, machine, run_json, table

REFERENCES_APART_MAX = 1e-3  # of their perplexities


def of_den(a):
    command = [a.program, "perplexity", a.text, "-m", a.model, "--chunks", a.chunks, "--reference", "fp32", "--json"]
    if a.cpu_features:
        command += ["--cpu-features", a.cpu_features]
    return run_json(command)


def of_rival(a):
    peers = HERE / "peers"
    with tempfile.TemporaryDirectory() as folder:
        windows, logits = pathlib.Path(folder) / "windows.json", pathlib.Path(folder) / "logits.npy"
        rival = [a.rival_python, peers / "llama_cpp_kl.py", a.model, a.text, "--chunks", a.chunks]
        # a JSON object is wanted of each; the one that only writes windows prints none
        run_json(["sh", "-c", '"$@" && echo "{}"', "sh", *rival, "--windows", windows])
        run_json([a.baseline_python, peers / "reference_logits.py", a.model, windows, logits])
        return run_json([*rival, "--reference", logits])


def rows_of(den, rival):
    ways = [("Den", den), ("llama.cpp, flash attention off", rival["flash_attention_off"]),
            ("llama.cpp, flash attention on", rival["flash_attention_on"])]
    return [[name, f"{way['perplexity']:.3f}", f"{way['reference_perplexity']:.3f}", f"{way['kl_mean']:.5f}",
             f"{way['kl_999']:.4f}", f"{100 * way['top1_agreement']:.1f} %"] for name, way in ways]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--baseline-python", required=True)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--cpu-features")
    parser.add_argument("--json", help="a file, or - for standard output")
    a = parser.parse_args()
    end_when_told()
    den, rival = of_den(a), of_rival(a)
    references = [den["reference_perplexity"], rival["flash_attention_off"]["reference_perplexity"]]
    if abs(references[0] / references[1] - 1) > REFERENCES_APART_MAX or den["scored_tokens"] != \
            rival["flash_attention_off"]["scored_tokens"]:
        raise SystemExit(f"the two references are not the same: perplexities {references[0]:.4f} and {references[1]:.4f}")
    made = {"what": "quality", **commit(), "machine": machine(), "model": pathlib.Path(a.model).name,
            "cpu_features": a.cpu_features, "den": den, "llama.cpp": rival}
    text = json.dumps(made, indent=1)
    if a.json == "-":
        print(text)
        return
    if a.json:
        pathlib.Path(a.json).write_text(text + "\n")
    print(f"{made['model']}, {den['scored_tokens']} tokens\n")
    print(table(["", "perplexity", "in fp32", "KL divergence from fp32", "at 99.9 %", "same likeliest token"], rows_of(den, rival)))


if __name__ == "__main__":
    sys.exit(main())
