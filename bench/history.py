#!/usr/bin/env python3
"""Adds figures to bench/history/: one line of JSON for each program and run, with the commit and the machine.

    bench/compare.py ... --json - | bench/history.py          # any of bench/'s programs with --json
    den bench --ablate --json | bench/history.py --what ablate
    bench/history.py --list [--what compare]                  # what is there, newest last

A line goes to bench/history/WHAT.jsonl, WHAT being what the figures say they are. Lines are never changed; README's table
(bench/readme_table.py) is made from the newest of each.
"""
import argparse
import json
import sys

from measure import ROOT, commit, machine

HISTORY = ROOT / "bench/history"


def lines(what):
    path = HISTORY / f"{what}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def newest(what, wanted=lambda line: True):
    """The last line of a kind that is as wanted, or None."""
    return next((line for line in reversed(lines(what)) if wanted(line)), None)


def add(figures):
    HISTORY.mkdir(exist_ok=True)
    with (HISTORY / f"{figures['what']}.jsonl").open("a") as file:
        file.write(json.dumps(figures, separators=(",", ":")) + "\n")


def objects(text):
    """Every JSON object that begins a line, on one line or indented."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at] == "{":
            figures, at = decoder.raw_decode(text, at)
            yield figures
        at = text.find("\n", at) + 1 or len(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", help="where the figures don't say it themselves")
    parser.add_argument("--list", action="store_true")
    a = parser.parse_args()
    if a.list:
        for path in sorted(HISTORY.glob(f"{a.what or '*'}.jsonl")):
            for line in lines(path.stem):
                print(line["date"], line["commit"], path.stem, line["machine"]["cpu"])
        return
    for figures in objects(sys.stdin.read()):
        if a.what:
            figures["what"] = a.what
        if "what" not in figures or not figures["what"].replace("_", "").isalnum():
            raise SystemExit("the figures don't say what they are; give --what")
        for key, value in {**commit(), "machine": machine(figures.get("threads"))}.items():
            figures.setdefault(key, value)
        add(figures)


if __name__ == "__main__":
    main()
