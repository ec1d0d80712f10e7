#!/usr/bin/env python3
"""Two checks of all-MiniLM-L6-v2 on texts that are not in the repository.

    embedding.py retrieval --program den --data CRANFIELD_FOLDER [--least 0.395]
    embedding.py agreement --program den --texts FILE... [--count 200] [--model FOLDER]

`retrieval` embeds the documents and queries of the Cranfield collection (documents.jsonl, queries.jsonl with id and text,
relevant.tsv with query, document and, where there is one, grade) and demands a mean nDCG@10; the model is known for 0.403 there. `agreement` takes
random texts of the files (.jsonl with "text", or lines) and demands a cosine above 0.9999 with sentence-transformers on
each. Both need numpy. Under CTest the paths come from DEN_TEST_CRANFIELD; without it the test is skipped (77).
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys


def embed(program, texts, *options):
    import numpy
    lines = "".join(" ".join(text.split()) + "\n" for text in texts)
    out = subprocess.run([program, "embed", *options, "-"], input=lines, capture_output=True, text=True, check=True).stdout
    return numpy.array([list(map(float, line.split())) for line in out.splitlines()], dtype=numpy.float32)


def read(path):
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return [{"text": line.strip()} for line in path.read_text().splitlines() if line.strip()]


def retrieval(a):
    import numpy
    documents, queries = (read(a.data / name) for name in ("documents.jsonl", "queries.jsonl"))
    grades = {}
    for line in (a.data / "relevant.tsv").read_text().splitlines():
        query, document, grade = (line.split("\t") + ["1"])[:3]
        if int(grade) > 0:
            grades.setdefault(query, {})[document] = int(grade)
    scores = embed(a.program, [q["text"] for q in queries]) @ embed(a.program, [d["text"] for d in documents]).T
    discounts = 1 / numpy.log2(numpy.arange(2, 12))
    values = []
    for query, row in zip(queries, scores):
        judged = grades.get(str(query["id"]))
        if not judged:
            continue
        found = [judged.get(str(documents[i]["id"]), 0) for i in numpy.argsort(-row, kind="stable")[:10]]
        ideal = sorted(judged.values(), reverse=True)[:10]
        values.append((numpy.array(found) @ discounts) / (numpy.array(ideal) @ discounts[:len(ideal)]))
    mean = float(numpy.mean(values))
    print(json.dumps({"queries": len(values), "documents": len(documents), "ndcg_at_10": round(mean, 4)}))
    return 0 if mean >= a.least else 1


def agreement(a):
    import numpy
    import sentence_transformers
    random.seed(a.seed)
    texts = [text for path in a.texts
             for text in random.sample([item["text"] for item in read(path)], a.count // len(a.texts))]
    texts = [" ".join(text.split()) for text in texts]
    theirs = sentence_transformers.SentenceTransformer(str(a.model), device="cpu").encode(texts)
    result = {}
    for name, options in {"int16": [], "fp32": ["--precision", "fp32"], "avx2": ["--cpu-features", "avx2,fma,f16c"]}.items():
        cosines = (theirs * embed(a.program, texts, "-m", str(a.model), *options)).sum(1)
        cosines /= numpy.linalg.norm(theirs, axis=1)
        result[name] = {"min": round(float(cosines.min()), 7), "mean": round(float(cosines.mean()), 7)}
    print(json.dumps({"texts": len(texts), **result}))
    return 0 if min(one["min"] for one in result.values()) > 0.9999 else 1


def main():
    data = os.environ.get("DEN_TEST_CRANFIELD")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=["retrieval", "agreement"])
    parser.add_argument("--program", default="build/release/den")
    parser.add_argument("--data", type=pathlib.Path, default=data and pathlib.Path(data))
    parser.add_argument("--least", type=float, default=0.395)
    parser.add_argument("--texts", type=pathlib.Path, nargs="+")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model", type=pathlib.Path)
    a = parser.parse_args()
    if a.check == "agreement":
        return agreement(a)
    if not a.data:
        print("skipped: DEN_TEST_CRANFIELD does not name the collection")
        return 77
    return retrieval(a)


if __name__ == "__main__":
    sys.exit(main())
