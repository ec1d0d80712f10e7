"""GET /api/activity: what runs now, for whom and how far it is; and nothing of what was asked."""
import json
import threading
import time

import pytest

from conftest import serve

SURFACES = {"/v1/chat/completions": "openai", "/v1/messages": "anthropic", "/api/chat": "ollama"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("activity"), "--parallel", "2") as server:
        yield server


def activity(server):
    return server.ask("GET", "/api/activity").json()


def wait_for(server, is_so):
    while not is_so(now := activity(server)):
        time.sleep(0.01)
    return now


def begin(server, path, content, tokens):
    body = {"model": "smollm2", "messages": [{"role": "user", "content": content}], "max_tokens": tokens, "stream": True,
            "options": {"num_predict": tokens}}
    if path != "/api/chat":
        del body["options"]
    return server.begin("POST", path, body)


def test_nothing_runs(running):
    now = activity(running)
    assert now["requests"] == [] and len(now["workers"]) == 1
    (worker,) = now["workers"]
    assert worker["model"] == "smollm2" and worker["state"] == "ready" and worker["pid"] > 0 and worker["resident_bytes"] > 1e7
    assert worker["running"] == worker["waiting"] == worker["restarts"] == 0 and worker["sandbox"]


def test_each_surface_says_its_name(running):
    for path, name in SURFACES.items():
        connection = begin(running, path, "Write a very long story about a secret garden.", 2000)
        now = wait_for(running, lambda a: a["requests"] and a["requests"][0]["generated_tokens"] > 2)
        connection.close()
        (request,) = now["requests"]
        assert name in request["surface"], request
        assert request["state"] == "writing" and request["model"] == "smollm2" and request["tokens_per_s"] > 0
        assert request["prompt_done"] == request["prompt_tokens"] > 5
        assert abs(request["since"] / 1000 - time.time()) < 60
        assert "garden" not in json.dumps(now)
        wait_for(running, lambda a: not a["requests"])


def test_who_waits_is_waiting(running):
    before = activity(running)["totals"]
    connections = [begin(running, "/v1/chat/completions", f"Write a long story, number {n}.", 1500) for n in range(4)]
    # the worker counts a request as running before its first word of progress is here
    now = wait_for(running, lambda a: [r["state"] for r in a["requests"]].count("waiting") == 2 and len(a["requests"]) == 4
                   and a["workers"][0]["running"] == 2)
    assert now["workers"][0]["waiting"] == 2
    since = [r["since"] for r in now["requests"]]  # oldest first; which two run is the scheduler's choice
    assert since == sorted(since) or max(a - b for a, b in zip(since, since[1:])) <= 1  # each is rounded for itself
    assert len({r["id"] for r in now["requests"]}) == 4
    for connection in connections:
        connection.close()
    totals = wait_for(running, lambda a: not a["requests"])["totals"]
    assert totals["requests"] == before["requests"] + 4 and totals["generated_tokens"] > before["generated_tokens"]


def test_a_prompt_that_is_read_shows_how_far(running):
    text = "The river and the fox and the garden. " * 350
    seen, done = [], threading.Event()

    def look():
        while not done.is_set():
            seen.extend(activity(running)["requests"])

    looking = threading.Thread(target=look)
    looking.start()
    running.ask("POST", "/v1/chat/completions", running.chat(text, max_tokens=1))
    done.set()
    looking.join()
    parts = sorted({(r["prompt_done"], r["prompt_tokens"]) for r in seen if r["prompt_tokens"]})
    assert len(parts) >= 2 and all(part[0] <= part[1] for part in parts), parts
    assert {"reading"} <= {r["state"] for r in seen}
