#!/usr/bin/env python3
"""What evaluating guessed tokens brings: the same answers with and without, in turn.

    bench/speculation.py [--model smollm2] [--program build/release/den] [--rounds 5] [--tokens 200] [--threads 2]
                         [--cpu-features LIST] [--rival-python PYTHON] [--json [FILE]]

Code is edited: a prompt holds a file (bench/prompts/) and asks for one change, the answer is begun as an assistant would
begin it, and most of it repeats the file. And prose is written, where there is little to guess: there speculation must cost
nothing. Answers are greedy and must be the same, token for token. Each prompt runs without and with guesses in turn; its
figure is the median of the ratios of neighbouring runs, a kind's figure the median over its prompts.

With --rival-python the edits also run in llama.cpp (llama-cpp-python) with and without its prompt lookup.
"""
import argparse
import json
import pathlib
import sys

from measure import HERE, ROOT, hand_out, json_option, ratios, run_json, stamp, summary, table

EDITS = [
    ("shapes.py", "Rename the method area to surface_area."),
    ("ring.c", "Add a comment that says what ring_pop does."),
    ("cart.js", "Let the currency be USD."),
    ("library.sql", "Add a column with the number of pages to the table of books."),
    ("settings.json", "Set the port to 9090 and deactivate bert."),
    ("notes.css", "Make the notes' border blue."),
]
PROSE = [
    "Write a short story about a lighthouse keeper who finds a message in a bottle.",
    "Explain to a child why the sky is blue.",
    "Describe a walk through a market in the morning.",
    "What should one think of when buying a used bicycle?",
    "Write a letter to a friend who has moved to another town.",
    "Tell how bread is made, from the field to the table.",
]
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


def chat(question, answer=""):
    return (f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n"
            f"<|im_start|>assistant\n{answer}")


def edit(name, change):
    text = (HERE / "prompts" / name).read_text()
    begun = f"Here is the whole file with the change:\n\n```\n{text.splitlines()[0]}\n"
    return chat(f"{change} Answer with the whole file {name}.\n\n```\n{text}```", begun)


def answer(a, prompt, speculation):
    command = [a.program, "generate", "--json", "--raw", "--temperature", 0, "-m", a.model, "-n", a.tokens, "--threads",
               a.threads, "--speculation", speculation]
    if a.cpu_features:
        command += ["--cpu-features", a.cpu_features]
    return run_json(command + [prompt])


def rate(made):
    return (made["generated_tokens"] - 1) / made["generate_s"]


def measure(a, title, prompt):
    print(title, file=sys.stderr)
    plain, guessed = [], []
    for _ in range(a.rounds):
        plain.append(answer(a, prompt, "off"))
        guessed.append(answer(a, prompt, "auto"))
    if any(made["tokens"] != plain[0]["tokens"] for made in plain + guessed):
        raise SystemExit(f"{title}: another answer with guesses than without")
    last = guessed[-1]
    return {"prompt": title, "prompt_tokens": last["prompt_tokens"], "tokens": last["generated_tokens"],
            "plain": summary([rate(made) for made in plain]), "guessed": summary([rate(made) for made in guessed]),
            "ratio": ratios([rate(made) for made in guessed], [rate(made) for made in plain]),
            "share_of_answer": round(last["accepted_tokens"] / max(last["generated_tokens"], 1), 3),
            "right": round(last["accepted_tokens"] / max(last["guessed_tokens"], 1), 3)}


def measure_rival(a, title, prompt):
    print("llama.cpp:", title, file=sys.stderr)
    path = a.model_file
    made = run_json([a.rival_python, HERE / "peers/llama_cpp_lookup.py", path, "--tokens", a.tokens, "--threads", a.threads,
                     "--rounds", a.rounds], input=prompt)
    return {"prompt": title, "plain": summary(made["plain"]), "guessed": summary(made["lookup"]),
            "ratio": ratios(made["lookup"], made["plain"]), "version": made["version"]}


def kind(rows):
    return {"rows": rows, "ratio": summary([row["ratio"]["median"] for row in rows], 3)}


def figures_of(a, head, kinds):
    """`kinds` has the measured prompts of each kind."""
    return {**head, "model": pathlib.Path(a.model).name, "rounds": a.rounds,
            **{name: kind(rows) for name, rows in kinds.items()}}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", default="smollm2")
    ap.add_argument("--model-file", help="the GGUF, for the rival")
    ap.add_argument("--program", default=ROOT / "build/release/den")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--tokens", type=int, default=200)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--cpu-features")
    ap.add_argument("--rival-python")
    json_option(ap)
    a = ap.parse_args()
    edits = [(name, edit(name, change)) for name, change in EDITS]
    prose = [(question, chat(question)) for question in PROSE]
    head = stamp("speculation", a.threads)
    kinds = {"edit": [measure(a, *one) for one in edits], "prose": [measure(a, *one) for one in prose]}
    if a.rival_python:
        kinds["rival_edit"] = [measure_rival(a, *one) for one in edits]
    result = figures_of(a, head, kinds)
    if hand_out(result, a.json):
        return
    for name in ("edit", "prose", "rival_edit"):
        if name not in result:
            continue
        rows = result[name]["rows"]
        print(table([name, "tokens/s without", "with", "ratio (spread)", "of the answer guessed", "guesses right"],
                    [[row["prompt"][:40], row["plain"]["median"], row["guessed"]["median"],
                      f"{row['ratio']['median']:.2f} ({row['ratio']['low']:.2f} to {row['ratio']['high']:.2f})",
                      row.get("share_of_answer", ""), row.get("right", "")] for row in rows]))
        print(f"median {result[name]['ratio']['median']:.2f}x\n")
    print(json.dumps({name: result[name]["ratio"]["median"] for name in ("edit", "prose", "rival_edit") if name in result}))


if __name__ == "__main__":
    main()
