"""Workspaces over HTTP: what they keep, which documents and threads are theirs, and searching them by words."""
import uuid

import pytest


def ok(answer, *expected):
    assert answer.http in (expected or (200, 201, 202)), answer.body
    return answer.json()


def make(server, **fields):
    return ok(server.ask("POST", "/api/workspaces", {"name": f"W {uuid.uuid4().hex}", **fields}), 201)


def add(server, name, text, workspace=None):
    where = f"&workspace={workspace}" if workspace else ""
    added = ok(server.ask("POST", f"/api/documents?name={name}{where}", text.encode(),
                          {"Content-Type": "application/octet-stream"}), 200, 202)
    return added["document"]["id"]


def wait_ready(server, document):
    while True:
        found = ok(server.ask("GET", f"/api/documents/{document}"))
        if found["state"] in ("ready", "failed"):
            assert found["state"] == "ready", found["error"]
            return found


def test_a_workspace_from_first_to_last(server):
    made = make(server, model="smollm2", retrieval={"count": 3}, tags=["home"])
    path = f"/api/workspaces/{made['id']}"
    assert made["retrieval"] == {"count": 3, "budget_tokens": 0, "diversity": None, "only_documents": False,
                                 "rewrite": "auto"}
    changed = ok(server.ask("PATCH", path, {"name": made["name"] + "!", "retrieval": {"only_documents": True}}))
    assert changed["retrieval"]["count"] == 3 and changed["retrieval"]["only_documents"]
    assert made["id"] in [w["id"] for w in ok(server.ask("GET", "/api/workspaces"))["workspaces"]]
    assert ok(server.ask("GET", path)) == changed
    assert ok(server.ask("DELETE", path)) == {}
    assert server.ask("GET", path).http == 404


def test_names_and_fields_are_checked(server):
    made = make(server)
    assert server.ask("POST", "/api/workspaces", {"name": made["name"].upper()}).http == 409
    for fields in ({}, {"name": ""}, {"name": "a", "retrieval": {"count": 0}}, {"name": "a", "tags": [1]}):
        answer = server.ask("POST", "/api/workspaces", fields)
        assert answer.http == 400 and answer.error()["message"], fields


def test_threads_belong_to_a_workspace(server):
    made = make(server)
    thread = ok(server.ask("POST", "/api/threads", {"workspace": made["id"]}), 201)
    other = ok(server.ask("POST", "/api/threads", {}), 201)
    assert thread["workspace"] == made["id"] and other["workspace"] is None
    listed = ok(server.ask("GET", f"/api/threads?workspace={made['id']}"))["threads"]
    assert [t["id"] for t in listed] == [thread["id"]]
    assert ok(server.ask("GET", f"/api/workspaces/{made['id']}"))["threads"] == 1
    ok(server.ask("DELETE", f"/api/workspaces/{made['id']}"))
    assert ok(server.ask("GET", f"/api/threads/{thread['id']}"))["workspace"] is None
    assert server.ask("POST", "/api/threads", {"workspace": made["id"]}).http == 404


def test_a_document_is_in_several_and_read_once(server):
    one, two = make(server), make(server)
    document = add(server, "mill.txt", "The lease of the old mill was signed by Anna Becker in March 1999.", one["id"])
    wait_ready(server, document)
    assert ok(server.ask("POST", f"/api/workspaces/{two['id']}/documents", {"documents": [document]}))["documents"] == 1
    listed = ok(server.ask("GET", f"/api/workspaces/{two['id']}/documents"))["documents"]
    assert listed[0]["id"] == document and listed[0]["pinned"] is False
    assert sorted(listed[0]["workspaces"]) == sorted([one["id"], two["id"]])
    path = f"/api/workspaces/{two['id']}/documents/{document}"
    assert ok(server.ask("PATCH", path, {"pinned": True}))["pinned"]
    assert ok(server.ask("GET", f"/api/workspaces/{two['id']}/documents"))["documents"][0]["pinned"]
    for workspace in (one, two):
        found = ok(server.ask("POST", "/api/search", {"query": "who signed the lease", "workspace": workspace["id"]}))
        assert found["hits"][0]["document"] == document and found["hits"][0]["word_rank"] == 1
    ok(server.ask("DELETE", path))
    found = ok(server.ask("POST", "/api/search", {"query": "who signed the lease", "workspace": two["id"]}))
    assert found["hits"] == [] and found["found"] is False and found["searched"] == 0
    assert server.ask("DELETE", path).http == 404


def test_a_follow_up_is_completed(server):
    made = make(server)
    document = add(server, "revenue.txt", "In 2024 the bakery had a revenue of 455,000 euros.", made["id"])
    wait_ready(server, document)
    talk = [{"role": "user", "content": "What was the revenue of the bakery in 2023?"},
            {"role": "assistant", "content": "412,000 euros."}]
    found = ok(server.ask("POST", "/api/search",
                          {"query": "And in 2024?", "workspace": made["id"], "conversation": talk}))
    assert found["query"] == "What was the revenue of the bakery in 2024?"
    assert found["hits"][0]["document"] == document


@pytest.mark.parametrize("fields", [{}, {"query": ""}, {"query": "a", "count": 51}, {"query": "a", "documents": 3},
                                    {"query": "a" * 9000}])
def test_searches_are_checked(server, fields):
    answer = server.ask("POST", "/api/search", fields)
    assert answer.http == 400 and answer.error()["message"]


def test_attached_to_one_thread_only(server):
    thread = ok(server.ask("POST", "/api/threads", {}), 201)["id"]
    document = add(server, "zebra.txt", "The zebra of the zoo is called Bartholomew.")
    wait_ready(server, document)
    attached = ok(server.ask("POST", f"/api/threads/{thread}/documents", {"documents": [document]}))
    assert attached["documents"] == [{"id": document, "name": "zebra.txt", "state": "ready"}]
    found = ok(server.ask("POST", "/api/search", {"query": "what is the zebra called", "thread": thread}))
    assert found["hits"][0]["document"] == document
    ok(server.ask("DELETE", f"/api/threads/{thread}/documents/{document}"))
    assert ok(server.ask("GET", f"/api/threads/{thread}"))["documents"] == []


def test_workspaces_are_listed_as_models(server):
    made = make(server)
    assert f"workspace:{made['name']}" in [m.id for m in server.client().models.list().data]
    answer = server.ask("POST", "/v1/chat/completions", {**server.chat("Hi"), "model": "workspace:none such"})
    assert answer.http == 404 and answer.error()["code"] == "model_not_found"
