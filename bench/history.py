#!/usr/bin/env python3
"""Adds figures to bench/history/: one line of JSON for each program and run, with the commit and the machine.

    bench/compare.py ... --json - | bench/history.py          # any of bench/'s programs that take --json -
    den bench --ablate --json | bench/history.py --what ablate
    bench/history.py --list [--what compare]                  # what is there, newest last

A line goes to bench/history/WHAT.jsonl, WHAT being what the figures say they are. Where they don't name a commit and a
machine, those of the moment when this program began count, so let it begin with the measurement, in one pipe: the load average
is then that of others. Of a model's path only the name is kept. Lines are never changed; README's table
(bench/readme_table.py) is made from the newest of each.
"""
import argparse
import json
import pathlib
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


def complete(figures, what, known):
    """With what a line needs and the figures may lack."""
    made = {**known, **figures, **({"what": what} if what else {})}
    if not str(made.get("what", "")).replace("_", "").isalnum():
        raise SystemExit("the figures don't say what they are; give --what")
    if "threads" in figures:
        made["machine"] = {"threads": figures["threads"], **made["machine"]}
    if isinstance(made.get("model"), str):
        made["model"] = pathlib.Path(made["model"]).name
    return made


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
    known = {**commit(), "machine": machine()}
    made = [complete(figures, a.what, known) for figures in objects(sys.stdin.read())]
    if not made:
        raise SystemExit("no figures came: standard input has no line that begins a JSON object")
    for figures in made:
        add(figures)


if __name__ == "__main__":
    main()
