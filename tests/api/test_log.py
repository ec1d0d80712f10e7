"""The log: a line for each request, in both forms, and never what people write or models answer."""
import json
import os
import subprocess

import pytest

from conftest import MODEL, PROGRAM, Server, default_home

SECRET = "zwetschgenkompott"


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobodys_words_are_logged(tmp_path, form):
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(default_home() / "models")
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen([PROGRAM, "serve", "-m", MODEL, "--port", "0", "--log-level", "debug", "--log-format", form,
                                    "--require-token"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                   env={**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(tmp_path)})
        server = Server(process, process.stdout.readline())
        token = (home / "token").read_text().strip()
        key = {"Authorization": f"Bearer {token}"}
        ask = lambda *request: server.ask(*request, key)
        for stream in (False, True):
            assert ask("POST", "/v1/chat/completions", server.chat(f"Say {SECRET}.", max_tokens=12, stream=stream)).http == 200
        assert ask("POST", "/v1/chat/completions", server.chat("hi", temperature=SECRET)).http == 400
        assert ask("POST", "/v1/chat/completions", server.chat("hi", model=SECRET)).http == 404
        assert ask("POST", "/v1/chat/completions", b'{"' + SECRET.encode()).http == 400
        ask("GET", f"/api/threads?q={SECRET}", None)
        thread = ask("POST", "/api/threads", {"title": SECRET, "system": SECRET})
        ask("POST", f"/api/threads/{thread.json()['id']}/messages", {"role": "user", "content": SECRET, "answer": False, "parent": None})
        ask("POST", "/api/tokens", {"name": SECRET, "scope": "read"})
        server.ask("POST", "/api/login", {"token": token})
        server.ask("GET", "/v1/models", None, {"Authorization": f"Bearer {SECRET}"})
        process.terminate()
        assert process.wait() == 0
    text = log.read_text()
    assert SECRET not in text and token not in text and "den_session" not in text
    lines = [line for line in text.splitlines() if "/v1/chat/completions" in line]
    assert len(lines) == 5
    if form == "json":
        record = json.loads(lines[0])
        assert record["event"] == "request" and record["level"] == "info" and record["method"] == "POST"
        assert record["status"] == 200 and record["ms"] >= 0 and record["scope"] == "admin" and record["time"].endswith("Z")
    else:
        assert " info request method=POST path=/v1/chat/completions status=200 ms=" in lines[0]
    assert any("401" in line and "warning" in line for line in text.splitlines())
