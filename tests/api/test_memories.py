"""Memory over HTTP, with the real model: off by default, proposed, kept, told, removed."""
import json
import time

import pytest

from test_workspaces import ok


@pytest.fixture(autouse=True)
def switched_off_again(server):
    yield
    ok(server.ask("DELETE", "/api/memories"))
    ok(server.ask("PATCH", "/api/settings", {"memory": None}))


def memories(server):
    return ok(server.ask("GET", "/api/memories"))["memories"]


def wait_proposal(server, count):
    while len(memories(server)) < count:
        time.sleep(0.05)
    return memories(server)


def say(server, content, thread=None):
    """The answer to `content`, whole."""
    thread = thread or ok(server.ask("POST", "/api/threads", {"parameters": {"temperature": 0, "max_tokens": 8}}), 201)["id"]
    asked = ok(server.ask("POST", f"/api/threads/{thread}/messages", {"content": content}), 201)
    while True:
        messages = ok(server.ask("GET", f"/api/threads/{thread}"))["messages"]
        answer = next(m for m in messages if m["id"] == asked["answer"]["id"])
        if answer["finish"]:
            return answer


def test_it_is_off(server):
    listed = ok(server.ask("GET", "/api/memories"))
    assert listed == {"enabled": False, "memories": []}
    refused = server.ask("POST", "/api/memories", {"text": "The user is vegetarian."})
    assert refused.http == 403 and "'memory'" in refused.error()["message"]
    assert say(server, "I am vegetarian.")["memories"] is None
    assert memories(server) == []


def test_a_fact_from_first_to_last(server):
    ok(server.ask("PATCH", "/api/settings", {"memory": True}))
    assert say(server, "I work as a nurse in Leeds. My password is hunter2.")["memories"] is None
    fact = wait_proposal(server, 1)[0]
    assert fact["state"] == "proposed" and "nurse" in fact["text"] and "Leeds" in fact["text"]
    assert fact["workspace"] is None and fact["thread"]
    assert say(server, "What is a good name for a cat?")["memories"] is None
    kept = ok(server.ask("PATCH", f"/api/memories/{fact['id']}", {"state": "kept", "text": "The user is a nurse."}))
    assert kept == {**fact, "state": "kept", "text": "The user is a nurse."}
    answer = say(server, "What is a good name for a cat?")
    assert answer["memories"] == [{"id": fact["id"], "text": "The user is a nurse."}]
    ok(server.ask("PATCH", "/api/settings", {"memory": False}))
    assert say(server, "What is a good name for a dog?")["memories"] is None
    assert ok(server.ask("GET", "/api/memories")) == {"enabled": False, "memories": [kept]}
    assert ok(server.ask("DELETE", f"/api/memories/{fact['id']}")) == {}
    assert server.ask("DELETE", f"/api/memories/{fact['id']}").http == 404


def test_what_is_added_is_checked(server):
    ok(server.ask("PATCH", "/api/settings", {"memory": True}))
    made = ok(server.ask("POST", "/api/memories", {"text": "The user likes tea."}), 201)
    assert made["state"] == "kept" and made["thread"] is None
    assert ok(server.ask("POST", "/api/memories", {"text": "the user likes TEA."}), 200) == made
    for fields in ({}, {"text": ""}, {"text": 7}, {"text": "x" * 401}, {"text": "The PIN is 4711."}):
        assert server.ask("POST", "/api/memories", fields).http in (400, 413), fields
    assert server.ask("PATCH", f"/api/memories/{made['id']}", {"state": "proposed"}).http == 400
    assert server.ask("POST", "/api/memories", {"text": "a b", "workspace": "none"}).http == 404


def test_client_apis_are_told_nothing(server):
    ok(server.ask("PATCH", "/api/settings", {"memory": True}))
    body = {"messages": [{"role": "user", "content": "Hello."}], "temperature": 0, "max_tokens": 4}
    before = ok(server.ask("POST", "/v1/chat/completions", body))
    ok(server.ask("POST", "/api/memories", {"text": "The user is a nurse in Leeds."}), 201)
    after = ok(server.ask("POST", "/v1/chat/completions", body))
    assert before["usage"]["prompt_tokens"] == after["usage"]["prompt_tokens"]
    assert len(memories(server)) == 1 and "Leeds" not in json.dumps(after)
