#!/usr/bin/env python3
"""How well Den finds: nDCG@10 and recall@100 of each way of searching, and how well its confidence tells.

    bench/retrieval.py COLLECTION MODEL [--build build/release] [--json] [--calibrate]
                       [--rerank MODEL --server URL [--depth 20] [--every 1] [--scores FILE]]

COLLECTION has documents.jsonl {"id", "title", "text"}, queries.jsonl {"id", "text"} and relevant.tsv (query TAB document).
MODEL is an embedding model's folder or GGUF file. Texts are embedded by Den (bench_embed), put into a space in a scratch
database and searched there (bench_space): by vectors, by words, by both ("fused") and with all that den_space_search()
does unless told otherwise ("full"). Nothing here ranks anything.

--calibrate runs questions that the documents answer, everyday questions that they do not (bench/prompts/everyday.jsonl), and the
household of tests/fixtures/space with its own, and fits the logistic function of src/space/confidence.c on every second
question of each set; rates on the others are printed for the fit and for what the program has today. "hard" are the
collection's questions with the documents that answer them taken away; they take no part in the fit.

--rerank asks a running server's /v1/rerank to score the first DEPTH of each question's hits with MODEL (a reranker, an
embedding model or, by late scoring, a chat model) and prints nDCG@10 of the order before, by the scores alone, and of
mixes of the two as desk/rerank.c makes them. --every N asks every Nth question only; --scores keeps what was scored in a
file and goes on from there.
"""
import argparse
import json
import math
import pathlib
import subprocess
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
HOUSE = HERE.parent / "tests/fixtures/space"
MODES = ("vectors", "words", "fused", "full")


def read_lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def run(command):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout


class Collection:
    """Documents in a space, with vectors of everything that is asked of them."""

    def __init__(self, options, folder, name, documents):
        self.options, self.folder, self.name = options, folder, name
        self.documents = documents
        self.database = folder / f"{name}.db"
        texts = [{"text": d["title"] + "\n" + d["text"]} for d in read_lines(documents)]
        self.vectors = self.embed(name, texts)

    def embed(self, name, texts):
        source, vectors = self.folder / f"{name}.texts", self.folder / f"{name}.f32"
        source.write_text("".join(json.dumps(text) + "\n" for text in texts))
        run([self.options.build / "bench/bench_embed", self.options.model, source, "--vectors", vectors])
        self.width = vectors.stat().st_size // 4 // len(texts)
        return vectors

    def ask(self, name, questions, *arguments):
        """What each question found: a list of {"question", "hits", ...} in their order."""
        path = self.folder / f"{name}.questions"
        path.write_text("".join(json.dumps(q) + "\n" for q in questions))
        hits = self.folder / "hits.jsonl"
        run([self.options.build / "bench/bench_space", self.database, "--vectors", self.vectors, "--width", self.width,
             "--question-vectors", self.embed(name, questions), "--texts", self.documents, "--questions", path,
             "--candidates", 100, "--hits", hits, *arguments])
        return read_lines(hits)


def read_relevant(path):
    relevant = {}
    for line in open(path, encoding="utf-8"):
        question, document = line.split()[:2]
        relevant.setdefault(question, set()).add(document)
    return relevant


def ndcg(hits, relevant, depth=10):
    best = sum(1 / math.log2(i + 2) for i in range(min(depth, len(relevant))))
    return sum(1 / math.log2(i + 2) for i, hit in enumerate(hits[:depth]) if hit in relevant) / best


def measure(collection, questions, relevant):
    out = {}
    for mode in MODES:
        rows = collection.ask("questions", questions, "--mode", mode, "--count", 100)
        rows = [(row["hits"], relevant[row["question"]]) for row in rows if row["question"] in relevant]
        out[mode] = {"ndcg@10": sum(ndcg(*row) for row in rows) / len(rows),
                     "recall@100": sum(len(found & set(hits)) / len(found) for hits, found in rows) / len(rows)}
    return out


# --- reranking ---

SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)


def score(options, query, texts):
    body = json.dumps({"model": options.rerank, "query": query, "documents": texts, "raw_scores": True}).encode()
    request = urllib.request.Request(options.server + "/v1/rerank", body, {"Content-Type": "application/json"})
    results = json.load(urllib.request.urlopen(request, timeout=3600))["results"]
    scores = [0.0] * len(texts)
    for result in results:
        scores[result["index"]] = result["relevance_score"]
    return scores


def scale(values):
    low, high = min(values), max(values)
    return [(v - low) / (high - low) if high > low else 0 for v in values]


def mix(row, scores, share):
    """Hits in their new order; those that were not scored stay behind."""
    depth = len(scores)
    before, model = scale(row["fused"][:depth]), scale(scores)
    order = sorted(range(depth), key=lambda i: -((1 - share) * before[i] + share * model[i]))
    return [row["hits"][i] for i in order] + row["hits"][depth:]


def rerank(collection, questions, relevant, options):
    texts = {str(d["id"]): d["title"] + "\n" + d["text"] for d in read_lines(collection.documents)}
    asked = {str(q["id"]): q["text"] for q in questions}
    known = json.loads(options.scores.read_text()) if options.scores and options.scores.exists() else {}
    rows = [row for row in collection.ask("questions", questions, "--mode", "full", "--count", options.depth)
            if row["question"] in relevant][::options.every]
    for row in rows:
        name = row["question"]
        if name not in known:
            known[name] = score(options, asked[name], [texts[hit] for hit in row["hits"]])
            if options.scores:
                options.scores.write_text(json.dumps(known))
    return {f"share {share}": {"ndcg@10": sum(ndcg(mix(row, known[row["question"]], share), relevant[row["question"]])
                                              for row in rows) / len(rows), "questions": len(rows)} for share in SHARES}


# --- confidence ---

def gather(collection, house, options):
    """{set: (rows, label)}; the label of "hard" is None."""
    asked = read_lines(options.collection / "queries.jsonl")
    everyday = read_lines(HERE / "prompts/everyday.jsonl")
    own = read_lines(HOUSE / "questions.jsonl")
    kinds = {kind: [q for q in own if q["kind"] == kind] for kind in ("answered", "near", "far")}
    return {
        "collection, answered": (collection.ask("a", asked), 1),
        "collection, everyday": (collection.ask("b", everyday), 0),
        "collection, of the household": (collection.ask("c", own), 0),
        "collection, hard": (collection.ask("d", asked, "--without", options.collection / "relevant.tsv"), None),
        "household, answered": (house.ask("e", kinds["answered"]), 1),
        "household, near": (house.ask("f", kinds["near"]), 0),
        "household, far": (house.ask("g", kinds["far"]), 0),
        "household, of the collection": (house.ask("h", asked), 0),
    }


def features(row):
    return 1.0, row["cosine_top"], row["words_share"]


def logistic(weights, row):
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, features(row)))))


def fit(sets, steps=20000, rate=8.0, decay=1e-5):
    """Plain gradient descent; each label and the household's rarer questions count the same in all."""
    data = [(row, label, 2.0 if name.startswith("household, ") and "of" not in name else 1.0)
            for name, (rows, label) in sets.items() if label is not None for row in rows[0::2]]
    total = {label: sum(weight for _, l, weight in data if l == label) for label in (0, 1)}
    rows = [(features(row), label, weight / total[label] / 2) for row, label, weight in data]
    weights = [0.0, 0.0, 0.0]
    for _ in range(steps):
        slope = [0.0] * 3
        for x, label, weight in rows:
            error = label - 1 / (1 + math.exp(-sum(w * v for w, v in zip(weights, x))))
            for i in range(3):
                slope[i] += weight * error * x[i]
        weights = [w + rate * (s - decay * w * (i > 0)) for i, (w, s) in enumerate(zip(weights, slope))]
    return weights


def calibrate(sets):
    weights = fit(sets)
    rates = {}
    for name, (rows, _) in sets.items():
        held = rows[1::2]
        rates[name] = {"questions": len(held),
                       "found, fitted": sum(logistic(weights, row) > 0.5 for row in held) / len(held),
                       "found, program": sum(row["confidence"] > 0.5 for row in held) / len(held)}
    return {"at_zero": weights[0], "by_cosine": weights[1], "by_words": weights[2], "held out": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--rerank", metavar="MODEL")
    parser.add_argument("--server", default="http://127.0.0.1:4327")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--scores", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="den-retrieval-") as name:
        folder = pathlib.Path(name)
        collection = Collection(options, folder, "collection", options.collection / "documents.jsonl")
        if options.calibrate:
            house = Collection(options, folder, "house", HOUSE / "passages.jsonl")
            out = calibrate(gather(collection, house, options))
        elif options.rerank:
            out = rerank(collection, read_lines(options.collection / "queries.jsonl"),
                         read_relevant(options.collection / "relevant.tsv"), options)
        else:
            out = measure(collection, read_lines(options.collection / "queries.jsonl"),
                          read_relevant(options.collection / "relevant.tsv"))
    if options.json:
        print(json.dumps(out))
        return
    for name, row in (out["held out"] if options.calibrate else out).items():
        print(f"{name:30}", "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    if options.calibrate:
        print("  ".join(f"{key} {out[key]:.2f}" for key in ("at_zero", "by_cosine", "by_words")))


main()
