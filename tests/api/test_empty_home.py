"""Den with no model at all: it starts, says so, serves its page, and answers as soon as a model is there."""
import os
import subprocess

import pytest

from conftest import MODEL, PROGRAM, default_home, serve


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "home/models").mkdir(parents=True)
    with serve(tmp_path, model=None) as running:
        yield running, tmp_path / "home"


def test_it_starts_and_answers_once_a_model_is_there(empty):
    server, home = empty
    assert "no model is installed" in server.line and "den pull" in server.line
    assert server.ask("GET", "/").http == 200
    assert server.ask("GET", "/health").http == 200
    assert server.ask("GET", "/v1/models").json()["data"] == []
    assert any(one["name"] == "smollm2" and not one["installed"] for one in server.ask("GET", "/api/models").json()["models"])
    refused = server.ask("POST", "/v1/chat/completions", server.chat("Hello"))
    assert refused.http == 404 and "no chat model is installed" in refused.error()["message"]
    for one in (default_home() / "models").iterdir():
        (home / "models" / one.name).symlink_to(one)
    done = server.ask("POST", "/v1/chat/completions", server.chat("Hello", max_tokens=3))
    assert done.http == 200 and done.json()["choices"][0]["message"]["content"]


def test_a_model_that_was_asked_for_must_be_there(tmp_path):
    (tmp_path / "home/models").mkdir(parents=True)
    env = {**os.environ, "DEN_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run([PROGRAM, "serve", "-m", MODEL, "--port", "0"], capture_output=True, text=True, env=env)
    assert done.returncode != 0 and MODEL in done.stderr and "den pull" in done.stderr
