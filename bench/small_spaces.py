#!/usr/bin/env python3
"""What a running server believes in small workspaces: of what their passages answer, and of what they do not.

    bench/small_spaces.py COLLECTION [--server http://127.0.0.1:4327] [--passages 60] [--spaces 3] [--every 1] [--json]

COLLECTION is as in bench/retrieval.py. SPACES workspaces of PASSAGES documents each, drawn at random from the collection
around questions that some of them answer, are uploaded, asked, and removed. Asked are the questions that they answer, the
collection's other questions (on the same matter, the answers are elsewhere), everyday questions, and those of the household
of tests/fixtures/space; the household is a workspace of its own, and gets its own questions and the collection's. Printed is
the share that is "found", of which "by the rule" those that only the rule for few passages (desk/retrieval.c) finds.
Rates on the collection's spaces are held out: the rule was made with the household at hand.
"""
import argparse
import json
import pathlib
import random
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
HOUSE = HERE.parent / "tests/fixtures/space"


def read_lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


class Server:
    def __init__(self, address):
        self.address = address

    def ask(self, method, path, body=None):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = "text/plain" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(self.address + path, data, {"Content-Type": kind}, method=method)
        text = urllib.request.urlopen(request, timeout=600).read()
        return json.loads(text) if text else None

    def fill(self, name, documents):
        """A workspace with the documents, once all of them are read."""
        workspace = self.ask("POST", "/api/workspaces", {"name": name})["id"]
        for document in documents:
            where = urllib.parse.urlencode({"name": f"{name}-{document['id']}.txt", "workspace": workspace})
            self.ask("POST", f"/api/documents?{where}", (document["title"] + "\n\n" + document["text"]).encode())
        while self.ask("GET", f"/api/workspaces/{workspace}/documents?state=ready&limit=500")["documents"].__len__() < len(documents):
            time.sleep(0.5)
        return workspace

    def empty(self, workspace):
        for document in self.ask("GET", f"/api/workspaces/{workspace}/documents?limit=500")["documents"]:
            self.ask("DELETE", f"/api/documents/{document['id']}")
        self.ask("DELETE", f"/api/workspaces/{workspace}")

    def believe(self, workspace, questions):
        """(found, found by the rule alone) of each."""
        out = []
        for question in questions:
            reply = self.ask("POST", "/api/search", {"query": question, "workspace": workspace, "rerank": "off"})
            out.append((reply["found"], reply["found"] and reply["confidence"] < 0.5))
        return out


def draw(documents, relevant, count, rng):
    """Documents that answer some questions, and others to make `count`; the questions they answer."""
    chosen = set()
    for question in rng.sample(sorted(relevant), len(relevant)):
        wanted = [d for d in sorted(relevant[question]) if d in documents]
        if len(chosen | set(wanted)) <= count // 2:
            chosen |= set(wanted)
    others = [d for d in sorted(documents) if d not in chosen]
    chosen |= set(rng.sample(others, count - len(chosen)))
    return chosen, {q for q, answers in relevant.items() if answers & chosen}


def measure(server, options):
    documents = {str(d["id"]): d for d in read_lines(options.collection / "documents.jsonl")}
    questions = {str(q["id"]): q["text"] for q in read_lines(options.collection / "queries.jsonl")}
    relevant = {}
    for line in open(options.collection / "relevant.tsv", encoding="utf-8"):
        question, document = line.split()[:2]
        relevant.setdefault(question, set()).add(document)
    everyday = [row["text"] for row in read_lines(HERE / "prompts/everyday.jsonl")][::options.every]
    own = read_lines(HOUSE / "questions.jsonl")
    rows, rng = {}, random.Random(7)
    for space in range(options.spaces):
        chosen, answered = draw(documents, relevant, options.passages, rng)
        workspace = server.fill(f"small{space}", [documents[d] for d in sorted(chosen)])
        asked = {"answered there": [questions[q] for q in sorted(answered)][::options.every],
                 "answered elsewhere": [questions[q] for q in sorted(set(relevant) - answered)][::options.every],
                 "everyday": everyday, "of the household": [q["text"] for q in own][::options.every]}
        for kind, texts in asked.items():
            rows.setdefault(f"collection, {kind}", []).extend(server.believe(workspace, texts))
        server.empty(workspace)
    workspace = server.fill("household", read_lines(HOUSE / "passages.jsonl"))
    for kind in ("answered", "near", "far"):
        rows[f"household, {kind}"] = server.believe(workspace, [q["text"] for q in own if q["kind"] == kind][::options.every])
    rows["household, of the collection"] = server.believe(workspace, list(questions.values())[::options.every])
    server.empty(workspace)
    return {name: {"asked": len(found), "found": sum(f for f, _ in found) / len(found),
                   "by the rule": sum(r for _, r in found) / len(found)} for name, found in rows.items() if found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", type=pathlib.Path)
    parser.add_argument("--server", default="http://127.0.0.1:4327")
    parser.add_argument("--passages", type=int, default=60)
    parser.add_argument("--spaces", type=int, default=3)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    out = measure(Server(options.server), options)
    if options.json:
        print(json.dumps(out))
        return
    for name, row in out.items():
        print(f"{name:34} asked {row['asked']:4}  found {row['found']:.2f}  by the rule {row['by the rule']:.2f}")


main()
