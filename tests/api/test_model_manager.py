"""The model manager of the page: list, load, unload, import, roles, removal, and Ollama's DELETE /api/delete, with the
real program on copies of the default models."""
import json
import os
import shutil
import subprocess

import pytest
from conftest import PROGRAM, default_home, serve
from workers import workers

CHAT = default_home() / "models" / "smollm2"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A home of its own: removal must not touch the models that other tests use."""
    scratch = tmp_path_factory.mktemp("den")
    for name in ("smollm2", "all-minilm"):
        source = default_home() / "models" / name
        if not source.exists():
            pytest.skip(f"needs {name}")
        shutil.copytree(source, scratch / "home" / "models" / name)
    return scratch


@pytest.fixture(scope="module")
def server(scratch):
    with serve(scratch) as running:
        yield running


def models(server):
    return {one["name"]: one for one in server.ask("GET", "/api/models").json()["models"]}


def test_the_list_says_what_there_is_and_what_would_fit(server):
    body = server.ask("GET", "/api/models").json()
    names = [one["name"] for one in body["models"]]
    assert names[:2] == ["smollm2", "all-minilm"] and len(names) == len(set(names)) > 10
    for one in body["models"]:
        assert one["fit"]["verdict"] in ("fits", "tight", "too large") and one["fit"]["why"]
        assert one["installed"] == (one["state"] != "absent") and one["source"] and one["license"]
        assert one["bytes"] > 10e6 and one["parameters"] > 1e6 and one["context_tokens"] >= 256
    assert body["memory"]["total_bytes"] >= body["memory"]["budget_bytes"] > 0
    own = models(server)["smollm2"]
    assert own["state"] == "ready" and own["default"] and own["memory_bytes"] > 90e6
    assert abs(own["bytes"] - 98362432) < 1000


def test_a_model_is_loaded_and_unloaded(server):
    before = len(workers(server))
    assert server.ask("POST", "/api/models/all-minilm/load", {}).http == 200
    assert models(server)["all-minilm"]["state"] == "ready" and len(workers(server)) == before + 1
    assert server.ask("POST", "/api/models/all-minilm/unload", {}).http == 200
    assert models(server)["all-minilm"]["state"] == "asleep" and len(workers(server)) == before
    assert server.ask("POST", "/api/models/all-minilm/load", {}).http == 200
    assert models(server)["all-minilm"]["state"] == "ready"
    assert server.ask("POST", "/api/models/absent/load", {}).http == 404


def test_import_serve_and_remove(server, scratch):
    path = next(CHAT.glob("*.gguf"))
    answer = server.ask("POST", "/api/models/import", {"path": str(path), "name": "copy"})
    assert answer.http == 201 and answer.json()["installed"] and answer.json()["name"] == "copy"
    assert server.ask("POST", "/api/models/import", {"path": str(path), "name": "copy"}).http == 409
    reply = server.ask("POST", "/v1/chat/completions", {**server.chat("Hi"), "model": "copy", "max_tokens": 4})
    assert reply.http == 200
    assert server.ask("PATCH", "/api/roles", {"chat": "copy"}).json()["chat"] == "copy"
    assert json.loads((scratch / "home" / "roles.json").read_text())["chat"] == "copy"
    assert models(server)["copy"]["default"] and not models(server)["smollm2"]["default"]
    assert server.ask("PATCH", "/api/roles", {"chat": "all-minilm"}).http == 400
    assert server.ask("PATCH", "/api/roles", {"chat": "smollm2"}).http == 200
    assert server.ask("DELETE", "/api/models/copy").http == 200
    assert "copy" not in models(server) and path.exists()
    assert server.ask("DELETE", "/api/models/copy").http == 404


@pytest.mark.parametrize("body,http", [({}, 400), ({"path": 1}, 400), ({"path": "x.gguf"}, 400), ({"path": "/absent.gguf"}, 404),
                                       ({"path": "/etc/passwd"}, 422), ({"path": "/dev/zero"}, 422), ({"path": "/etc"}, 422)])
def test_what_is_no_model_is_refused(server, body, http):
    answer = server.ask("POST", "/api/models/import", body)
    assert answer.http == http and answer.error()["message"]


def test_only_an_admin_may_change_anything(scratch):
    with serve(scratch, "--token", "a-token-of-twenty-characters", "--require-token") as server:
        admin = {"Authorization": "Bearer a-token-of-twenty-characters"}
        made = server.ask("POST", "/api/tokens", {"name": "r", "scope": "read"}, admin).json()
        read = {"Authorization": f"Bearer {made['token']}"}
        assert server.ask("GET", "/api/models", headers=read).http == 200
        assert server.ask("GET", "/api/roles", headers=read).http == 200
        for method, path in (("DELETE", "/api/models/smollm2"), ("POST", "/api/models/import"), ("PATCH", "/api/roles"),
                             ("POST", "/api/models/smollm2/unload"), ("DELETE", "/api/delete")):
            assert server.ask(method, path, {}, read).http == 403, path


def test_ollamas_delete(server):
    path = next(CHAT.glob("*.gguf"))
    assert server.ask("POST", "/api/models/import", {"path": str(path), "name": "second"}).http == 201
    assert server.ask("DELETE", "/api/delete", {"model": "second:latest"}).http == 200
    answer = server.ask("DELETE", "/api/delete", {"model": "second"})
    assert answer.http == 404 and isinstance(answer.json()["error"], str)


def test_a_fit_is_asked_for_before_a_download(server):
    small, large = (server.ask("POST", "/api/fit", {"source": name}).json() for name in ("smollm2-360m", "qwen3-8b"))
    assert small["memory_bytes"] < large["memory_bytes"] and small["tokens_per_s"] > large["tokens_per_s"]
    assert server.ask("POST", "/api/fit", {"source": "hf:no/body"}).http == 404
    guess = server.ask("POST", "/api/fit", {"source": "hf:no/body", "bytes": 10**9}).json()
    assert guess["memory_bytes"] > 10**9 and "guess" in guess["why"] and guess["guess"] and not small["guess"]


def test_the_command_line_imports_lists_and_removes(scratch):
    env = {**os.environ, "DEN_HOME": str(scratch / "home")}

    def den(*words):
        return subprocess.run([PROGRAM, "models", *map(str, words)], env=env, capture_output=True, text=True)

    assert den("import", next(CHAT.glob("*.gguf")), "typed").returncode == 0
    listed = den().stdout
    assert "typed" in listed and listed.startswith("Installed") and "den pull NAME" in listed
    assert "typed" in {one["name"] for one in json.loads(den("--json").stdout) if one["installed"]}
    assert den("remove", "typed").returncode == 0 and "typed" not in den().stdout
    assert den("remove", "typed").returncode == 3
