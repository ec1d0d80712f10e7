"""A cross-encoder in the models folder: its role, /v1/rerank by it, and searches whose best hits it reads again. The model is a
tiny random one (tests/fixtures/encoders/reranker), so that what it says is right only by what transformers says of it."""
import json
import math
import pathlib
import shutil
import time

import pytest

from conftest import default_home, serve

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "fixtures/encoders/reranker"
EXPECTED = json.loads((FIXTURE / "expected.json").read_text())


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Under a name that says nothing: its config.json says what it is."""
    scratch = tmp_path_factory.mktemp("reranker")
    folder = scratch / "home/models/orders"
    folder.mkdir(parents=True)
    for path in FIXTURE.iterdir():
        if path.name != "expected.json":
            shutil.copy(path, folder)
    for path in (default_home() / "models").iterdir():
        (folder.parent / path.name).symlink_to(path)
    with serve(scratch) as server:
        yield server


def test_scores_are_those_of_transformers(running):
    answer = running.ask("POST", "/v1/rerank", {"query": EXPECTED["query"], "documents": EXPECTED["texts"], "raw_scores": True}).json()
    assert answer["model"] == "orders"
    scores = {result["index"]: result["relevance_score"] for result in answer["results"]}
    assert max(abs(scores[i] - want) for i, want in enumerate(EXPECTED["scores"])) < 0.02
    assert [result["index"] for result in answer["results"]] == sorted(scores, key=lambda i: -scores[i])
    tei = running.ask("POST", "/rerank", {"query": EXPECTED["query"], "texts": EXPECTED["texts"]}).json()
    assert max(abs(result["score"] - 1 / (1 + math.exp(-scores[result["index"]]))) for result in tei) < 1e-6


def test_has_a_role(running):
    assert running.ask("GET", "/api/roles").json()["reranker"] == "orders"
    models = {model["name"]: model for model in running.ask("GET", "/api/models").json()["models"]}
    assert models["orders"]["role"] == "reranker" and models["orders"]["default"]
    answer = running.ask("PATCH", "/api/roles", {"chat": "orders"})
    assert answer.http == 400 and "reranker" in answer.error()["message"]
    answer = running.ask("POST", "/v1/embeddings", {"model": "orders", "input": "a"})
    assert answer.http == 400 and "reranker" in answer.error()["message"]


def add(server, name, text):
    body = text.encode()
    answer = server.ask("POST", f"/api/documents?name={name}", body, {"Content-Type": "text/plain"})
    assert answer.http == 202, answer.body
    return answer.json()["document"]["id"]


def wait_until_found(server, word):
    """Until a search finds it by words."""
    while not any(hit["word_rank"] for hit in server.ask("POST", "/api/search", {"query": word, "rerank": "off"}).json()["hits"]):
        time.sleep(0.05)


def test_reads_the_best_hits_again(running):
    for i, text in enumerate(("the cat sleeps in the house", "the cat and the dog", "a cat is no wing")):
        add(running, f"text{i}.txt", text)
        wait_until_found(running, text.split()[-1])
    plain = running.ask("POST", "/api/search", {"query": "where is the cat", "rerank": "off"}).json()
    assert plain["reranked_by"] is None and plain["seconds"]["rerank"] == 0
    assert all(hit["rerank_score"] is None and hit["rerank_rank"] is None for hit in plain["hits"])
    found = running.ask("POST", "/api/search", {"query": "where is the cat", "count": 2}).json()
    assert found["reranked_by"] == "orders" and len(found["hits"]) == 2
    asked = {"model": "orders", "query": "where is the cat", "documents": [hit["text"] for hit in found["hits"]], "raw_scores": True}
    scores = {r["index"]: r["relevance_score"] for r in running.ask("POST", "/v1/rerank", asked).json()["results"]}
    assert all(abs(hit["rerank_score"] - scores[i]) < 1e-4 for i, hit in enumerate(found["hits"]))


def test_a_language_model_scores_when_asked(running):
    found = running.ask("POST", "/api/search", {"query": "where is the cat", "rerank": "language_model"}).json()
    assert found["reranked_by"] and found["reranked_by"] != "orders"
    assert all(hit["rerank_score"] < 0 for hit in found["hits"])
    assert sorted(hit["rerank_rank"] for hit in found["hits"]) == list(range(1, len(found["hits"]) + 1))
    documents = ["Bananas are yellow.", "A panda is a bear that eats bamboo."]
    answer = running.ask("POST", "/v1/rerank", {"model": found["reranked_by"], "query": "What does a panda eat?", "documents": documents})
    assert answer.json()["results"][0]["index"] == 1


def test_other_words_are_refused(running):
    answer = running.ask("POST", "/api/search", {"query": "cat", "rerank": "best"})
    assert answer.http == 400 and "'rerank'" in answer.error()["message"]
