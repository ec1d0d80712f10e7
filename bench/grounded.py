#!/usr/bin/env python3
"""How well answers stand on documents, and how well follow-up questions are completed, with a running program.

    bench/grounded.py PROGRAM answers      questions of tests/fixtures/grounded_questions.json, at several temperatures
    bench/grounded.py PROGRAM follow_ups   questions of tests/fixtures/follow_ups.json, completed by the rule and by the model

A home with a chat and an embedding model is needed ($DEN_HOME; its models are used, nothing else of it). Prints JSON.
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "tests/fixtures"


class Server:
    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def serve(program):
    models = pathlib.Path(os.environ.get("DEN_HOME", os.path.expanduser("~/.local/share/den"))) / "models"
    with tempfile.TemporaryDirectory() as home:
        (pathlib.Path(home) / "models").symlink_to(models)
        env = {**os.environ, "DEN_HOME": home, "XDG_CONFIG_HOME": f"{home}/config"}
        process = subprocess.Popen([program, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True, env=env)
        try:
            yield Server(re.search(r"https?://\S+", process.stdout.readline()).group(0).rstrip("/"))
        finally:
            process.terminate()
            process.wait()


def fill(server, documents):
    workspace = server.ask("POST", "/api/workspaces", {"name": "bench"})["id"]
    for name, text in documents.items():
        added = server.ask("POST", f"/api/documents?name={name}&workspace={workspace}", text.encode())["document"]["id"]
        while server.ask("GET", f"/api/documents/{added}")["state"] not in ("ready", "failed"):
            time.sleep(0.2)


def answers(server):
    given = json.loads((FIXTURES / "grounded_questions.json").read_text(encoding="utf-8"))
    fill(server, given["documents"])
    results = {}
    for name, fields in (("unset", {}), ("0", {"temperature": 0}), ("0.2", {"temperature": 0.2, "seed": 1}),
                         ("0.8", {"temperature": 0.8, "seed": 1})):
        right = supported = marked = seconds = 0
        for item in given["questions"]:
            began = time.monotonic()
            answer = server.ask("POST", "/v1/chat/completions", {
                "model": "workspace:bench", "max_tokens": 120, **fields,
                "messages": [{"role": "user", "content": item["question"]}]})
            seconds += time.monotonic() - began
            text = answer["choices"][0]["message"]["content"]
            citations = answer["den"]["sources"]["citations"]
            right += any(a.lower() in text.lower() for a in item["answers"])
            supported += sum(c["supported"] for c in citations)
            marked += len(citations)
        results[name] = {"questions": len(given["questions"]), "right": right, "marked_sentences": marked,
                         "supported": supported, "seconds_per_question": round(seconds / len(given["questions"]), 2)}
    return results


def is_right(item, query):
    low = query.lower()
    return (all(any(n.lower() in low for n in need.split("|")) for need in item["needs"]) and
            not any(word.lower() in low for word in item["lacks"]))


def follow_ups(server):
    items = json.loads((FIXTURES / "follow_ups.json").read_text(encoding="utf-8"))
    workspace = server.ask("POST", "/api/workspaces", {"name": "bench"})["id"]
    results = {}
    for way in ("off", "auto", "model"):
        server.ask("PATCH", f"/api/workspaces/{workspace}", {"retrieval": {"rewrite": way}})
        began, right, wrong = time.monotonic(), 0, []
        for item in items:
            query = server.ask("POST", "/api/search", {"query": item["question"], "workspace": workspace,
                                                       "conversation": item["conversation"]})["query"]
            right += is_right(item, query)
            if not is_right(item, query):
                wrong.append([item["question"], query])
        results[way] = {"questions": len(items), "right": right,
                        "seconds_per_question": round((time.monotonic() - began) / len(items), 3), "wrong": wrong}
    return results


def main():
    program, what = sys.argv[1:]
    with serve(program) as server:
        print(json.dumps({"answers": answers, "follow_ups": follow_ups}[what](server), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
