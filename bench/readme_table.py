#!/usr/bin/env python3
"""README's performance tables, made from the newest figures in bench/history/.

    bench/readme_table.py            # writes them between the marks in README.md
    bench/readme_table.py --check    # fails where README says something else; a test runs this
"""
import argparse
import pathlib

from compare import TITLES, lines_of
from history import lines, newest
from measure import ROOT, shown, table

BEGIN, END = "<!-- bench/readme_table.py writes this -->\n", "<!-- to here -->\n"


MAIN_MODEL = "SmolLM2-135M"
SHORT = {"prefill": "prompt of 512", "depth0": "generating", "depth512": "after 512", "depth4096": "after 4,096",
         "batch16": "16 sequences", "memory": "memory", "second_load": "second load"}


def is_main(made):
    """Whether it is of the one model that is shown row by row, with every instruction set."""
    return not made.get("masked") and any(MAIN_MODEL in result["model"] for result in made["models"])


def compared():
    made = newest("compare", is_main)
    if not made:
        return
    machine = made["machine"]
    for result in made["models"]:
        yield (f"{result['model']}, {machine['threads']} threads of {machine['cores']} cores of an {machine['cpu']} "
               f"(`{result['cpu_features']}`), beside {result['rival']}; commit {made['commit']}, "
               f"{made['date'][:10]}, {made['rounds']} rounds in turn, load average {machine['load_average']}:\n")
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


def mixed():
    made = newest("mixed_load")
    if not made:
        return
    one, all_ = made["one_at_a_time"], made["together"]
    yield (f"{made['requests']} requests of mixed lengths through the server (`bench/mixed_load.py`), {made['rounds']} rounds; "
           f"utilisation is of the {made['peak_tokens_per_s']['median']:.0f} tokens/s that the engine computes at most:\n")
    yield table(["", "one at a time", "all at once"], [
        ["utilisation", *(f"{100 * way['utilisation']['median']:.0f} %" for way in (one, all_))],
        ["tokens/s, read and generated", *(shown(way["tokens_per_s"]) for way in (one, all_))],
        ["all done after, s", *(f"{way['total_s']['median']:.1f}" for way in (one, all_))],
        ["longest stall of a stream, s", *(f"{way['longest_stall_s']['median']:.2f}" for way in (one, all_))],
    ]) + "\n"


def end_to_end():
    made = newest("end_to_end")
    if not made:
        return
    yield (f"A prompt of {made['prompt_tokens'][1]} tokens and {made['generated_tokens']} to write, everything loaded "
           f"(`bench/end_to_end.py`), {made['rounds']} rounds in turn:\n")
    rows = []
    for name, figures in made["engines"].items():
        title = "Den, through its server" if name == "den" else name
        rows.append([title, f"{figures['first_token_s']['median']:.2f}", f"{figures['answer_s']['median']:.2f}",
                     "" if name == "den" else f"{figures['answer_ratio']['median']:.1f}x of Den's time"])
    yield table(["", "first token, s", "answer, s", ""], rows) + "\n"


def neighbour():
    made = newest("neighbour")
    if not made:
        return
    kept = "; ".join(f"{'Den' if name == 'den' else name} keeps {100 * figures['kept']['median']:.0f} %"
                     for name, figures in made["engines"].items())
    yield f"Decoding while another program keeps one of {made['machine']['cores']} cores busy (`bench/neighbour.py`): {kept}.\n"


def ablated():
    made = newest("ablate")
    if not made:
        return
    yield f"What brings how much (`den bench --ablate`, {made['rounds']} rounds in turn, tokens/s):\n"
    yield table(["", "", "with", "without", "gain"],
                [[row["name"], row["figure"], f"{row['with']['median']:.0f}", f"{row['without']['median']:.0f}",
                  f"{row['gain']:.2f}x"] for row in made["rows"]]) + "\n"


def text():
    parts = [*compared(), *other_models(), *end_to_end(), *mixed(), *neighbour(), *ablated()]
    return "\n".join(parts) if parts else "No figures yet.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    a = parser.parse_args()
    path = pathlib.Path(ROOT) / "README.md"
    readme = path.read_text()
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise SystemExit("README.md: the two marks that the tables stand between are not there once")
    before, rest = readme.split(BEGIN)
    old, after = rest.split(END)
    if a.check:
        if old != text():
            raise SystemExit("README.md: its figures are not those of bench/history; run bench/readme_table.py")
        return
    path.write_text(before + BEGIN + text() + END + after)


if __name__ == "__main__":
    main()
