#!/usr/bin/env python3
"""README's performance tables, made from the newest figures in bench/history/.

There are two sections between marks: `figures`, the engine beside its peer, and `parts`, a row for each program that measures
serving and what each part brings. A program without figures has no row; a table without rows isn't there, nor its heading.

    bench/readme_table.py            # writes them between the marks in README.md
    bench/readme_table.py --check    # fails where README says something else; a test runs this
"""
import argparse
import pathlib
import statistics

from compare import TITLES, lines_of
from history import lines, newest
from measure import ROOT, shown, table

SECTIONS = ("figures", "parts")
BEGIN, END = "<!-- bench/readme_table.py writes {} -->\n", "<!-- to here -->\n"

MAIN_MODEL = "SmolLM2-135M"
SHORT = {"prefill": "prompt of 512", "depth0": "generating", "depth512": "after 512", "depth4096": "after 4,096",
         "batch16": "16 sequences", "memory": "memory", "second_load": "second load"}


def is_main(made):
    """Whether it is of the one model that is shown row by row, with every instruction set."""
    return not made.get("masked") and any(MAIN_MODEL in result["model"] for result in made["models"])


def with_later_rows(at, mains, result):
    """A model's rows, those measured again later in their place, and a sentence on which those are."""
    rows, notes = dict(result["rows"]), []
    for made in mains[at + 1:]:
        for later in made["models"]:
            if (later["model"], later["cpu_features"]) == (result["model"], result["cpu_features"]):
                rows.update(later["rows"])
                notes.append(f"{', '.join(SHORT.get(name, name) for name in later['rows'])}: commit {made['commit']}, "
                             f"load average {made['machine']['load_average']}")
    return {**result, "rows": rows}, f"; measured again later, {'; '.join(notes)}" if notes else ""


def compared():
    """The newest run with a prompt in it, and what later runs measured again of it; without any, the newest run."""
    mains = [made for made in lines("compare") if is_main(made)]
    if not mains:
        return
    whole = [i for i, made in enumerate(mains) if any("prefill" in result["rows"] for result in made["models"])]
    at = whole[-1] if whole else len(mains) - 1
    made = mains[at]
    machine = made["machine"]
    for result in made["models"]:
        result, again = with_later_rows(at, mains, result)
        yield (f"{result['model']}, {machine['threads']} threads of {machine['cores']} cores of an {machine['cpu']} "
               f"(`{result['cpu_features']}`), beside {result['rival']}; commit {made['commit']}, "
               f"{made['date'][:10]}, {made['rounds']} rounds in turn, load average {machine['load_average']}{again}:\n")
        yield table(["", "Den", "llama.cpp", "ratio", "of the machine's read bandwidth"], lines_of(result)) + "\n"


def other_models():
    """Each row's newest ratio for other models and for fewer instruction sets."""
    ratios = {}
    for made in lines("compare"):
        if is_main(made):
            continue
        for result in made["models"]:
            ratios.setdefault((result["model"], result["cpu_features"]), {}).update(result["rows"])
    if not ratios:
        return
    columns = [name for name in SHORT if any(name in rows for rows in ratios.values())]
    yield ("Ratios to llama.cpp for other models and for processors with less, llama.cpp built for the same instruction sets. `1b-*` are "
           "random weights in the shape of a Llama of one billion parameters (`bench/peers/random_model.py`); of memory and loading, "
           "less is better:\n")
    yield table(["model", "instruction sets", *(SHORT[name] for name in columns)], [
        [model, features, *(f"{rows[name]['ratio']['median']:.2f}x" if name in rows else "" for name in columns)]
        for (model, features), rows in ratios.items()]) + "\n"


def load_of(made):
    return f"{made['machine']['load_average']} on {made['machine']['cores']} cores"


def times(figure):
    return f"{figure['median']:.2f}x"


def percent(figure):
    return (f"{100 * figure['median']:.0f} % ({100 * figure['low']:.0f} to {100 * figure['high']:.0f})")


def peer(name, figures):
    """'llama.cpp of llama-cpp-python 0.3.36', 'transformers float32 5.1'."""
    version = figures.get("version")
    of = " of llama-cpp-python" if name.startswith("llama.cpp") else ""
    return f"{name}{of} {version}" if version else name


def end_to_end(made):
    den = made["engines"]["den"]
    best = {}  # of each peer's ways, the fastest
    for name, figures in made["engines"].items():
        kind = name.split(",")[0].split()[0]
        if kind != "den" and (kind not in best or figures["answer_s"]["median"] < best[kind][1]["answer_s"]["median"]):
            best[kind] = name, figures
    return [f"a prompt of {made['prompt_tokens'][1]:,} tokens read and {made['generated_tokens']} written, until the last, s",
            f"{shown(den['answer_s'], 2)}; first token {den['first_token_s']['median']:.2f}",
            "; ".join(f"{peer(*one)}: {shown(one[1]['answer_s'], 2)}" for one in best.values()),
            "; ".join(times(figures["answer_ratio"]) for _, figures in best.values()),
            f"bench/end_to_end.py --text TEXT -m {made['model']}"]


def mixed_load(made):
    one, all_ = made["one_at_a_time"], made["together"]
    return [f"{made['requests']} requests of mixed lengths at once, tokens/s read and written",
            f"{shown(all_['tokens_per_s'])}, {100 * all_['utilisation']['median']:.0f} % of the most that the engine computes",
            f"Den, one at a time: {shown(one['tokens_per_s'])}", times(made["gain"]),
            f"bench/mixed_load.py --text TEXT -m {made['model']}"]


def prefix(made):
    known = made["restarted"]
    return [f"first token of a prompt of {made['prompt_tokens']:,} tokens, seen before the server was started again, ms",
            f"{known['ms']:.0f}, {known['cached_tokens']:,} tokens from the file" +
            ("" if made["same_answers"] else "; answers differ"),
            f"Den, the first time: {made['first_ms']:.0f}", f"{1 / known['ratio']:.1f}x" if known["ratio"] else "",
            f"bench/prefix.py --model {made['model']}"]


def switch(made):
    """Of the largest model that had to be loaded; where all stayed awake, of the largest."""
    def size(one):
        return "loaded" in one, one["mib"]
    one = max((one for one in made["models"] if "loaded" in one or "resident" in one), key=size)
    was = "loaded" if "loaded" in one else "resident"
    ours, theirs = one[was]["switch_ms"], one.get("llama.cpp")
    failures = len(made["failures"])
    state = "asleep" if was == "loaded" else "awake"
    return [f"switching to {one['model']} ({one['mib']:,} MiB, {state}) from another model inside {made['budget_mib']:,} MiB, ms",
            f"{ours['median']:.1f} (99 of 100 within {ours['p99']:.1f}); {made['switches']:,} switches, {failures} failures",
            f"{peer('llama.cpp', theirs)}: {theirs['median']:.1f}" if theirs else "",
            f"{theirs['median'] / ours['median']:.1f}x" if theirs else "",
            f"bench/switch.py {' '.join(each['model'] for each in made['models'])} --budget {made['budget_mib']}"]


def speculation(made):
    def middle(kind, way):
        return statistics.median(row[way]["median"] for row in made[kind]["rows"])
    rival = made.get("rival_edit")
    beside = f"Den without guesses: {middle('edit', 'plain'):.0f}"
    if rival:
        beside += (f"; {peer('llama.cpp', rival['rows'][0])}: {middle('rival_edit', 'guessed'):.0f} with prompt lookup, "
                   f"{times(rival['ratio'])} of without")
    return [f"a file written again with one change, tokens guessed and checked, tokens/s ({len(made['edit']['rows'])} files)",
            f"{middle('edit', 'guessed'):.0f}; prose {times(made['prose']['ratio'])} of without", beside,
            times(made["edit"]["ratio"]), f"bench/speculation.py --model {made['model']}"]


def neighbour(made):
    others = {name: figures for name, figures in made["engines"].items() if name != "den"}
    return [f"speed of generating that is kept while {made['busy']} other program{'s keep' if made['busy'] > 1 else ' keeps'} a core "
            "busy", percent(made["engines"]["den"]["kept"]),
            "; ".join(f"{peer(name, figures)}: {percent(figures['kept'])}" for name, figures in others.items()),
            "; ".join(times(figures["times_den"]) for figures in others.values()),
            f"bench/neighbour.py {made['model']}"]


SERVING = {"end_to_end": end_to_end, "mixed_load": mixed_load, "prefix": prefix, "switch": switch,
           "speculation": speculation, "neighbour": neighbour}


def served():
    """A row of the newest record of each; without any, nothing."""
    rows = []
    for what, row_of in SERVING.items():
        if made := newest(what):
            *cells, command = row_of(made)
            rows.append([*cells, load_of(made), f"`{command}`"])
    if rows:
        yield ("### Serving\nBeside the peer named, or beside Den without what the row is about; figures are medians with their "
               "spread, and a ratio above 1 is in Den's favour. The load average is the machine's before the run.\n")
        yield table(["", "Den", "beside it", "ratio", "load average", "command"], rows) + "\n"


def ablated():
    made = newest("ablate")
    if not made or not made["rows"]:
        return
    yield (f"### What each part brings\nDen with all of its parts beside Den without the one named, in turn, on {made['model']}: "
           f"a prompt of {made['prompt']:,} tokens, {made['generate']} generated, {made['sequences']} sequences with "
           f"{made['depth']:,} tokens each. Figures are tokens/s; of a first token, the prompt's. Commit {made['commit']}, "
           f"{made['date'][:10]}, {made['rounds']} rounds, load average {load_of(made)}; "
           f"`den bench --ablate -m {made['model']} --runs {made['rounds']}`.\n")
    yield table(["", "", "with", "without", "ratio"],
                [[row["name"], row["figure"], shown_small(row["with"]), shown_small(row["without"]),
                  f"{row['gain']:.2f}x"] for row in made["rows"]]) + "\n"


def shown_small(figure):
    """Scalar kernels make few tokens a second."""
    return shown(figure, 0 if figure["median"] >= 10 else 1)


def text(name="figures"):
    if name == "figures":
        return "\n".join([*compared(), *other_models()]) or "No figures yet.\n"
    return "\n".join([*served(), *ablated()])


def filled(readme):
    """README with each section written anew."""
    for name in SECTIONS:
        begin = BEGIN.format(name)
        if readme.count(begin) != 1 or END not in readme.split(begin)[1]:
            raise SystemExit(f"README.md: '{begin.strip()}' is not there once, with '{END.strip()}' behind it")
        before, rest = readme.split(begin)
        readme = before + begin + text(name) + END + rest.split(END, 1)[1]
    return readme


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    a = parser.parse_args()
    path = pathlib.Path(ROOT) / "README.md"
    readme = path.read_text()
    if not a.check:
        path.write_text(filled(readme))
    elif readme != filled(readme):
        raise SystemExit("README.md: its figures are not those of bench/history; run bench/readme_table.py")


if __name__ == "__main__":
    main()
