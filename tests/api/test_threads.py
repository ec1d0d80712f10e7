"""What people keep, over HTTP: threads, messages, folders, prompts, settings, files."""
import concurrent.futures
import json
import os
import subprocess
import uuid

import pytest

from conftest import PROGRAM, serve


def new(prefix="t"):
    return f"{prefix}-{uuid.uuid4().hex}"


def ok(answer, *expected):
    assert answer.http in (expected or (200, 201)), answer.body
    return answer.json()


def make(server, **fields):
    return ok(server.ask("POST", "/api/threads", {"id": new(), **fields}), 201)


def ask(server, thread, content, **fields):
    body = {"id": new("m"), "content": content, "answer": False, **fields}
    return ok(server.ask("POST", f"/api/threads/{thread}/messages", body), 201)["message"]


def test_a_thread_from_first_to_last(server):
    thread = make(server, system="Be brief.", parameters={"temperature": 0, "max_tokens": 4})
    path = f"/api/threads/{thread['id']}"
    question = ask(server, thread["id"], "What is the capital of France?", parent=None,
                   attachments=[{"name": "notes.txt", "text": "Paris"}])
    full = ok(server.ask("GET", path))
    assert full["title"] == "What is the capital of France?" and not full["renamed"]
    assert full["system"] == "Be brief." and full["parameters"] == {"temperature": 0, "max_tokens": 4}
    assert full["messages"] == [question] and full["head"] == question["id"]
    changed = ok(server.ask("PATCH", path, {"title": "Capitals", "pinned": True, "head": None}))
    assert changed["title"] == "Capitals" and changed["renamed"] and changed["pinned"]
    edited = ok(server.ask("PATCH", f"{path}/messages/{question['id']}", {"content": "And of Spain?"}))
    assert edited["content"] == "And of Spain?"
    child = ask(server, thread["id"], "More", parent=question["id"])
    fork = ok(server.ask("POST", f"{path}/fork", {"message": child["id"]}), 201)
    assert [m["content"] for m in fork["messages"]] == ["And of Spain?", "More"]
    assert ok(server.ask("DELETE", f"{path}/messages/{question['id']}")) == {}
    assert ok(server.ask("GET", path))["messages"] == []
    assert ok(server.ask("DELETE", path))["restorable_until"] > changed["updated"]
    assert server.ask("GET", path).http == 404
    assert ok(server.ask("POST", f"{path}/restore"))["id"] == thread["id"]
    assert ok(server.ask("POST", f"{path}/purge")) == {}
    assert server.ask("POST", f"{path}/restore").http == 404


def test_what_is_sent_twice_is_there_once(server):
    thread = make(server)
    path = f"/api/threads/{thread['id']}/messages"
    body = {"id": new("m"), "content": "once", "answer": False}
    assert server.ask("POST", "/api/threads", {"id": thread["id"]}).http == 200
    assert server.ask("POST", path, body).http == 201
    again = server.ask("POST", path, body)
    assert again.http == 200 and again.json()["message"]["content"] == "once"
    other = server.ask("POST", path, {**body, "content": "twice"})
    assert other.http == 409 and other.error()["param"] == "id"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        body = {"id": new("m"), "content": "at once", "answer": False}
        codes = sorted(a.http for a in pool.map(lambda _: server.ask("POST", path, body), range(8)))
    assert codes == [200] * 7 + [201]


def test_the_list_has_pages_and_an_order(server):
    folder = ok(server.ask("POST", "/api/folders", {"name": "Listed"}), 201)["id"]
    ids = [make(server, folder=folder)["id"] for _ in range(7)]
    ok(server.ask("PATCH", f"/api/threads/{ids[3]}", {"pinned": True}))
    seen, before = [], ""
    while before is not None:
        page = ok(server.ask("GET", f"/api/threads?folder={folder}&limit=3" + (f"&before={before}" if before else "")))
        assert len(page["threads"]) <= 3
        seen += [t["id"] for t in page["threads"]]
        before = page["next"]
    assert seen == [ids[3]] + [i for i in reversed(ids) if i != ids[3]]
    assert ok(server.ask("DELETE", f"/api/folders/{folder}")) == {}
    assert ok(server.ask("GET", f"/api/threads/{ids[0]}"))["folder"] is None


def test_search_finds_every_script(server):
    thread = make(server, title="Dinner plans")
    ask(server, thread["id"], "How do I braise aubergines?")
    ask(server, thread["id"], "请问红烧茄子怎么做？")
    for words, count in (("aubergine", 1), ("AUBERG", 1), ("braise aubergines", 1), ("茄子", 1), ("红烧茄子", 1),
                         ("Dinner", 1), ("aubergine potato", 0), ('"', 0)):
        hits = ok(server.ask("GET", f"/api/threads?q={''.join(f'%{b:02x}' for b in words.encode())}"))["hits"]
        hits = [hit for hit in hits if hit["thread"] == thread["id"]]
        assert len(hits) == count, words
        for hit in hits:
            assert set(hit) == {"thread", "title", "message", "role", "created", "snippet"}
            assert any(marked for _, marked in hit["snippet"]), words
    assert server.ask("GET", "/api/threads?q=%ff%fe").http == 400


def test_prompts_and_settings(server):
    prompt = ok(server.ask("POST", "/api/prompts", {"name": "Translate", "text": "Into {{language}}: {{text}}"}), 201)
    assert ok(server.ask("PUT", f"/api/prompts/{prompt['id']}", {"name": "To"}))["text"] == prompt["text"]
    assert [p["name"] for p in ok(server.ask("GET", "/api/prompts"))["prompts"]] == ["To"]
    assert ok(server.ask("DELETE", f"/api/prompts/{prompt['id']}")) == {}
    assert server.ask("DELETE", f"/api/prompts/{prompt['id']}").http == 404
    assert ok(server.ask("PATCH", "/api/settings", {"theme": "dark", "future": {"a": [1]}})) == {
        "theme": "dark", "future": {"a": [1]}}
    assert ok(server.ask("PATCH", "/api/settings", {"theme": None})) == {"future": {"a": [1]}}
    assert server.ask("PATCH", "/api/settings", {"big": "x" * 70000}).http == 413
    assert ok(server.ask("GET", "/api/settings")) == {"future": {"a": [1]}}


def test_files_go_out_and_come_in(server):
    thread = make(server, title="A talk: \"quoted\"\r\nX-Bad: 1")
    first = ask(server, thread["id"], "Hello ☃ 😀")
    ask(server, thread["id"], "Again", parent=first["id"])
    path = f"/api/threads/{thread['id']}"
    text = server.ask("GET", f"{path}/export?format=markdown")
    assert text.headers["content-disposition"] == 'attachment; filename="a-talk-quoted-x-bad-1.md"'
    assert text.headers["content-type"].startswith("text/markdown") and "x-bad" not in text.headers
    assert "## You\n\nHello ☃ 😀\n" in text.body.decode()
    before = ok(server.ask("GET", path))
    whole = server.ask("GET", f"{path}/export?format=json")
    ok(server.ask("POST", f"{path}/purge"))
    assert ok(server.ask("POST", "/api/import", whole.body)) == {"threads": 1, "messages": 2, "skipped": []}
    after = ok(server.ask("GET", path))
    assert after["messages"] == before["messages"] and after["head"] == before["head"]
    everything = server.ask("GET", "/api/export").json()
    assert everything["format"] == "den.threads" and thread["id"] in [t["id"] for t in everything["threads"]]
    again = ok(server.ask("POST", "/api/import", whole.body))
    assert again["threads"] == 0 and again["skipped"] == [{"index": 0, "why": "it is there already"}]
    for junk in (b"", b"PK\x03\x04", b"\xff\xfe", b"hello"):
        assert server.ask("POST", "/api/import", junk).http in (400, 422)
    assert server.ask("GET", f"{path}/export?format=exe").http == 400


@pytest.mark.parametrize("method, path, body, http", [
    ("GET", "/api/threads/none", None, 404), ("PATCH", "/api/threads/none", {"title": "x"}, 404),
    ("DELETE", "/api/threads/none", None, 404), ("GET", "/api/threads/%00", None, 404),
    ("GET", "/api/threads/..%2f..%2fetc", None, 404), ("POST", "/api/threads", {"id": "a b"}, 400),
    ("POST", "/api/threads", {"parameters": {"heat": 1}}, 400), ("POST", "/api/threads", b"[]", 400),
    ("POST", "/api/threads", b"{", 400), ("POST", "/api/threads/none/messages", {"content": "x"}, 404),
    ("POST", "/api/threads/none/messages", {"content": "x", "answer": False}, 404),
    ("POST", "/api/threads/none/answers", {"parent": "x"}, 404), ("POST", "/api/threads/none/answers", {}, 400),
    ("POST", "/api/threads/none/stop", {}, 404), ("POST", "/api/threads/none/fork", {"message": "m"}, 404),
    ("GET", "/api/threads?limit=0", None, 400), ("GET", "/api/threads?limit=x", None, 400),
    ("GET", "/api/threads?before=1_2", None, 400), ("PUT", "/api/threads", {}, 405),
    ("POST", "/api/folders", {"name": 7}, 400), ("PATCH", "/api/settings", b"7", 400),
])
def test_what_is_wrong_is_said(server, method, path, body, http):
    answer = server.ask(method, path, body)
    assert answer.http == http, answer.body
    assert answer.error()["message"]


def test_long_texts_and_their_limit(server):
    thread = make(server)
    text = "0123456789abcde\n" * (1 << 16)
    assert ask(server, thread["id"], text)["content"] == text
    refused = server.ask("POST", f"/api/threads/{thread['id']}/messages", {"content": "x" * (17 << 20), "answer": False})
    assert refused.http == 413 and refused.error()["param"] == "content"
    hostile = json.dumps({"content": "\ud83d", "answer": False}).encode()
    assert server.ask("POST", f"/api/threads/{thread['id']}/messages", hostile).http == 400


def test_the_verbs_work_beside_a_server(tmp_path):
    def den(*arguments):
        env = {**os.environ, "DEN_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)

    with serve(tmp_path) as server:
        thread = make(server, title="Kept")["id"]
        ask(server, thread, "Are you there?")
        done = den("export", tmp_path / "all.json")
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "all.json").read_text())["threads"][0]["title"] == "Kept"
        assert den("export", tmp_path / "all.json").returncode == 11, "overwrites nothing"
        assert "## You\n\nAre you there?" in den("export", "--thread", thread, "--format", "markdown").stdout
        assert den("export", "--thread", "none", tmp_path / "none.json").returncode == 3
        assert not (tmp_path / "none.json").exists()
        assert "skipped number 1: it is there already" in den("import", tmp_path / "all.json").stdout
        ok(server.ask("POST", f"/api/threads/{thread}/purge"))
        assert json.loads(den("import", "--json", tmp_path / "all.json").stdout)[str(tmp_path / "all.json")]["messages"] == 1
        assert ok(server.ask("GET", f"/api/threads/{thread}"))["messages"][0]["content"] == "Are you there?"
        (tmp_path / "bad.json").write_text("hello")
        assert den("import", tmp_path / "bad.json").returncode == 6
