#!/usr/bin/env python3
"""Documents into the library, beside what a Python application does with the same files: the rate of `den add`.

    bench/ingest.py --rival-python PYTHON --model MINILM_FOLDER [PATH...] [--pages 200] [--rounds 3] [--json FILE]

Without a PATH a folder is made: --pages pages of text in PDFs of 20 pages and as many text files of the same words, drawn from
--text. Den reads, cuts, embeds and indexes into an empty home each time, as a user's first `den add` would, and is timed as a
whole with the start of its processes and the loading of its model; the rival (bench/peers/python_ingest.py: pypdf, LangChain's
splitter, sentence-transformers in fp32) is timed from its first file, its imports and its model's loading left out. They take turns. Pages
are the unit: 1,800 characters each. Seconds by the clock are worth something on a quiet machine only; processor time, of all a
program's processes, is on a busy one, too.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import tempfile
import time

from measure import HERE, ROOT, commit, machine, ratios, run_json, shown, summary, table

PAGE = 1800


def make_pdf(pages):
    """A PDF with the given pages, each a list of lines."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    bodies = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
              "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for i, lines in enumerate(pages):
        shown = "".join("({}) Tj T*\n".format(line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")) for line in lines)
        drawn = f"BT /F1 10 Tf 14 TL 60 740 Td\n{shown}ET"
        bodies.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
                      "/Resources << /Font << /F1 3 0 R >> >> >>")
        bodies.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    out, places = "%PDF-1.4\n", []
    for i, body in enumerate(bodies):
        places.append(len(out))
        out += f"{i + 1} 0 obj\n{body}\nendobj\n"
    places_text = "".join(f"{place:010} 00000 n \n" for place in places)
    return (f"{out}xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{places_text}trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R >>\n"
            f"startxref\n{len(out)}\n%%EOF\n").encode("latin-1", "replace")


def make_folder(folder, text, pages):
    """`pages` pages in PDFs and as many in text files, no two alike."""
    words = [word for word in text.read_text(errors="replace").split() if word.isascii()]
    dice = random.Random(1)

    def page():
        start, lines, line = dice.randrange(len(words) - 1000), [], ""
        for word in words[start:]:
            if len(line) + len(word) > 90:
                lines.append(line)
                line = ""
            line += word + " "
            if sum(map(len, lines)) > PAGE:
                return lines

    for i in range(0, pages, 20):
        (folder / f"{i:05}.pdf").write_bytes(make_pdf([page() for _ in range(min(20, pages - i))]))
    for i in range(pages):
        (folder / f"{i:05}.txt").write_text(" ".join(page()))
    return 2 * pages


def ours(a, paths):
    with tempfile.TemporaryDirectory() as home:
        os.symlink(a.home / "models", f"{home}/models")
        environment = {**os.environ, "DEN_HOME": home, "XDG_CONFIG_HOME": home}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        done = subprocess.run([a.program, "add", "--json", *paths], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit(f"den add: {done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"seconds": seconds, "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def figures(key, ratio, den, other):
    mine, theirs = [one[key] for one in den], [one[key] for one in other]
    return {key: {"den": summary(mine, 2), "python": summary(theirs, 2)}, ratio: ratios(theirs, mine)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=pathlib.Path)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--model", required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path(os.environ.get("DEN_HOME", "~/.local/share/den")).expanduser())
    parser.add_argument("--text", type=pathlib.Path, help="any long text, for the folder that is made")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        paths, pages = a.paths, None
        if not paths:
            if not a.text:
                parser.error("name PATHs, or a --text to make pages of")
            pages = make_folder(pathlib.Path(scratch), a.text, a.pages)
            paths = [pathlib.Path(scratch)]
        rival = [a.rival_python, HERE / "peers/python_ingest.py", a.model, *paths]
        den, other = [], []
        for _ in range(a.rounds):
            den.append(ours(a, paths))
            other.append(run_json(rival))
    results = {"what": "ingest", **commit(), "machine": machine(2), "rounds": a.rounds, "pages": pages,
               **figures("seconds", "times_as_fast", den, other), **figures("processor_s", "times_less_processor_time", den, other)}
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(results, indent=1) + "\n")
    print(table(["", "Den", "Python", "ratio"],
                [[what, *(shown(results[key][engine], 1) for engine in ("den", "python")), shown(results[ratio], 2)]
                 for what, key, ratio in (("seconds", "seconds", "times_as_fast"),
                                          ("processor time, s", "processor_s", "times_less_processor_time"))]))


if __name__ == "__main__":
    main()
