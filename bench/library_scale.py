#!/usr/bin/env python3
"""A large library while it is read: 5,000 small files and one PDF of 2,000 pages.

    bench/library_scale.py [--text FILE] [--files 5000] [--pages 2000] [--seconds 0] [--keep FOLDER] [--json FILE]

A server with an empty home is given a folder of --files small files of six formats (text, Markdown, HTML, CSV, JSON, mail) and a
PDF of --pages pages. Until the job has ended, or --seconds are over, it is asked what the page and a person ask: a search,
the list of documents, the jobs, a document with its list of parts, one part. Printed are the time each took (the median, the 95th percentile, the
longest), and the most memory that the server, the worker with the embedding model, and the readers' children together took
(RSS, looked at every 50 ms; a child that lives shorter may be missed, but not the server). --keep leaves the files in FOLDER.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

from ingest import make_pdf
from measure import ROOT, commit, end_when_told, machine, table

KINDS = ("txt", "md", "html", "csv", "json", "eml")


def sentences(dice, words, characters):
    start = dice.randrange(max(1, len(words) - 500))
    text = ""
    for word in words[start:start + 1000]:
        text += word + " "
        if len(text) > characters:
            return text.strip()
    return text.strip()


def small_file(kind, number, text):
    half = len(text) // 2
    return {"txt": f"Note {number}.\n\n{text}\n",
            "md": f"# Note {number}\n\n{text[:half]}\n\n## More\n\n{text[half:]}\n",
            "html": f"<html><body><main><h1>Note {number}</h1><p>{text}</p></main></body></html>",
            "csv": "number,word\n" + "".join(f"{number},{word}\n" for word in text.replace(",", "").split()[:60]),
            "json": json.dumps({"number": number, "text": text}),
            "eml": f"From: a@example.org\nTo: b@example.org\nSubject: Note {number}\n\n{text}\n"}[kind]


def make_library(folder, text, files, pages):
    """No two files are alike; the same arguments give the same bytes."""
    words = [word.replace("<", "").replace("@", "") for word in text.split() if word.isascii()]
    dice = random.Random(7)
    for number in range(files):
        kind = KINDS[number % len(KINDS)]
        place = folder / f"{number // 500:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"note{number:06}.{kind}").write_text(small_file(kind, number, sentences(dice, words, 600)))
    if pages:
        lines = [[f"Page {page + 1} of a long book"] + re.findall(r".{1,90}(?: |$)", sentences(dice, words, 1800))
                 for page in range(pages)]
        (folder / "book.pdf").write_bytes(make_pdf(lines))


def children_of(pid):
    try:
        found = [int(one) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return found + [one for child in found for one in children_of(child)]


def resident(pid):
    try:
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) << 10
    except (OSError, AttributeError):
        return 0


def arguments_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


class Watch(threading.Thread):
    """The most memory of the server, of its worker, and of what reads, all of it together."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.ends = pid, collections.Counter(), threading.Event()

    def run(self):
        while not self.ends.wait(0.05):
            now = collections.Counter(server=resident(self.pid))
            for child in children_of(self.pid):
                now["worker" if b"worker" in arguments_of(child)[1:2] else "readers"] += resident(child)
            for name, value in now.items():
                self.most[name] = max(self.most[name], value)


class Server:
    def __init__(self, a, home):
        os.symlink(a.home / "models", f"{home}/models")
        self.process = subprocess.Popen([str(a.program), "serve", "--port", "0", "--log-level", "warning"], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "DEN_HOME": home, "XDG_CONFIG_HOME": home})
        found = re.search(r"https?://\S+?:(\d+)", self.process.stdout.readline())
        if not found:
            raise SystemExit("den serve did not start")
        self.port = int(found.group(1))

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        made = json.loads(reply.read())
        if reply.status >= 400:
            raise SystemExit(f"{method} {path}: {made}")
        connection.close()
        return made

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def ask_around(server, times, questions):
    """One of each thing that is asked of a library, timed."""
    def timed(name, *what):
        begin = time.perf_counter()
        made = server.ask(*what)
        times[name].append(time.perf_counter() - begin)
        return made

    timed("search", "POST", "/api/search", {"query": next(questions)})
    listed = timed("list of documents", "GET", "/api/documents?limit=50")["documents"]
    timed("jobs", "GET", "/api/jobs")
    books = server.ask("GET", "/api/documents?q=book.pdf")["documents"]
    for document in (books or listed)[:1]:
        parts = timed("a document with its parts", "GET", f"/api/documents/{document['id']}")["part_list"]
        if parts:
            timed("one part", "GET", f"/api/documents/{document['id']}/parts/{parts[len(parts) // 2]['ordinal']}")


def watch_job(server, a, job, questions):
    times, begin, halves = collections.defaultdict(list), time.monotonic(), []
    while True:
        state = server.ask("GET", f"/api/jobs/{job['id']}")
        halves.append((time.monotonic() - begin, state["done"] + state["skipped"] + state["failed"]))
        if state["ended"] or (a.seconds and time.monotonic() - begin > a.seconds):
            return state, times, time.monotonic() - begin
        ask_around(server, times, questions)
        time.sleep(0.3)


def measure(a, text):
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as home:
        folder = a.keep or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        make_library(folder, text, a.files, a.pages)
        words = text.split()
        dice = random.Random(3)
        questions = iter(lambda: " ".join(dice.choices(words, k=6)), None)
        server = Server(a, home)
        watch = Watch(server.process.pid)
        watch.start()
        try:
            job = server.ask("POST", "/api/documents/paths", {"paths": [str(folder)]})["job"]
            state, times, seconds = watch_job(server, a, job, questions)
        finally:
            watch.ends.set()
            watch.join()
            server.end()
    return {"job": {key: state[key] for key in ("state", "total", "done", "failed", "skipped")}, "seconds": round(seconds, 1),
            "memory_mib": {name: most >> 20 for name, most in watch.most.items()},
            "milliseconds": {name: spread(sorted(taken)) for name, taken in times.items()}}


def spread(taken):
    return {"median": round(taken[len(taken) // 2] * 1e3, 1), "p95": round(taken[len(taken) * 95 // 100] * 1e3, 1),
            "longest": round(taken[-1] * 1e3, 1), "count": len(taken)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=pathlib.Path, default=ROOT / "tests/fixtures/wikitext2_slice.txt")
    parser.add_argument("--program", default=ROOT / "build/release/den")
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path(os.environ.get("DEN_HOME", "~/.local/share/den")).expanduser())
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=0, help="stop watching then; 0: when the job has ended")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--json", metavar="FILE")
    a = parser.parse_args()
    end_when_told()
    made = measure(a, a.text.read_text(errors="replace"))
    results = {"what": "library_scale", **commit(), "machine": machine(), "files": a.files, "pages": a.pages, **made}
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(results, indent=1) + "\n")
    print(f"{made['job']} in {made['seconds']} s; most memory, MiB: {made['memory_mib']}\n")
    print(table(["milliseconds", "median", "p95", "longest", "asked"],
                [[name, *figure.values()] for name, figure in made["milliseconds"].items()]))


if __name__ == "__main__":
    main()
