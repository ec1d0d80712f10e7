#!/usr/bin/env python3
"""The time to the first token and to the whole answer, a prompt of 512 tokens and 64 to write: Den through its real server,
llama.cpp, and the unoptimised baseline, transformers in fp32 and bf16, on the same file and text, in turn.

    bench/end_to_end.py --text TEXT -m MODEL.gguf [--baseline-python PYTHON] [--rival-python PYTHON] [--dtypes float32,bfloat16]
                        [--prompt 512] [--generate 64] [--threads 2] [--rounds 5] [--json [FILE]]

All are loaded and have answered once. Each round takes another part of TEXT, so that nothing is found in a cache; Den's time
has HTTP, the worker's process and streaming in it, the others' only their calls. llama.cpp's flash attention is tried both
ways, the better counts. Ratios are the other's time over Den's, medians of neighbouring runs.
"""
import argparse
import json
import pathlib
import subprocess
import sys

from measure import HERE, ROOT, end_when_told, hand_out, json_option, ratios, stamp, summary
from mixed_load import Server, ask


class Den:
    def __init__(self, a):
        self.server = Server(a)

    def answer(self, prompt, tokens):
        made = ask(self.server.port, prompt, tokens)
        return {"prompt_tokens": made["prompt_tokens"], "first_token_s": made["times"][0] - made["begun"],
                "answer_s": made["ended"] - made["begun"], "generated_tokens": made["generated_tokens"]}

    def end(self):
        self.server.end()


class Peer:
    """A program that answers a line of JSON with a line of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def answer(self, prompt, tokens):
        self.process.stdin.write(json.dumps({"prompt": prompt, "tokens": tokens}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a peer ended with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def prompts_of(a, count):
    """Parts of the text with a.prompt tokens each, one behind the other, as `den tokenize` counts them."""
    words = pathlib.Path(a.text).read_text(errors="replace").split()
    made, at = [], 0
    for _ in range(count):
        length = a.prompt
        for _ in range(8):  # words become tokens at a rate that a few tries find
            text = " ".join(words[at:at + length])
            done = subprocess.run([str(a.program), "tokenize", "-m", a.model, "--json", text], capture_output=True,
                                  text=True, check=True)
            found = len(json.loads(done.stdout))
            if found == a.prompt:
                break
            length = max(1, length + round((a.prompt - found) / 1.3))
        at += length
        made.append(text)
    return made


def open_engines(a, engines):
    engines["den"] = Den(a)
    for flash in a.flash if a.rival_python else ():
        engines[f"llama.cpp, flash attention {flash}"] = Peer(
            a.rival_python, HERE / "peers/llama_cpp_answer.py", a.model, "--threads", a.threads, "--flash", flash)
    for dtype in a.dtypes if a.baseline_python else ():
        engines[f"transformers {dtype}"] = Peer(a.baseline_python, HERE / "peers/transformers_bench.py", a.model,
                                                "--dtype", dtype, "--threads", a.threads)


def measure(a, engines):
    runs, counts = {name: [] for name in engines}, set()
    for engine in engines.values():
        engine.answer("A few words to warm up with.", 4)
    for prompt in prompts_of(a, a.rounds):
        for name, engine in engines.items():
            made = engine.answer(prompt, a.generate)
            runs[name].append(made)
            counts.add(made["prompt_tokens"])
            print(f"{name}: {made['first_token_s']:.2f} s, {made['answer_s']:.2f} s", file=sys.stderr, flush=True)
    return runs, counts


def figures_of(a, head, runs, counts):
    """From every engine's answers, one of each a round."""
    figures = {}
    for name, made in runs.items():
        figures[name] = {figure: summary([run[figure] for run in made], 3) for figure in ("first_token_s", "answer_s")}
        for figure in ("first_token_s", "answer_s"):
            figures[name][figure.replace("_s", "_ratio")] = ratios([run[figure] for run in made],
                                                                   [run[figure] for run in runs["den"]])
        if "version" in made[-1]:
            figures[name]["version"] = made[-1]["version"]
    return {**head, "model": pathlib.Path(a.model).name, "prompt_tokens": [min(counts), max(counts)],
            "generated_tokens": a.generate, "rounds": a.rounds, "engines": figures}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--baseline-python")
    parser.add_argument("--rival-python")
    parser.add_argument("--dtypes", default="float32,bfloat16", type=lambda text: text.split(","))
    parser.add_argument("--flash", default="off,on", type=lambda text: text.split(","))
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    json_option(parser)
    a = parser.parse_args()
    end_when_told()
    head = stamp("end_to_end", a.threads)
    a.parallel = 1
    engines = {}
    try:
        open_engines(a, engines)
        runs, counts = measure(a, engines)
    finally:
        for engine in engines.values():
            engine.end()
    result = figures_of(a, head, runs, counts)
    if hand_out(result, a.json):
        return
    for name, made in result["engines"].items():
        print(f"{name:32} first token {made['first_token_s']['median']:7.3f} s, answer {made['answer_s']['median']:7.3f} s"
              f"   {made['first_token_ratio']['median']:5.2f}x, {made['answer_ratio']['median']:5.2f}x of Den's time")


if __name__ == "__main__":
    main()
