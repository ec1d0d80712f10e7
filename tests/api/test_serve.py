"""Starting and stopping `den serve`, and who may talk to it."""
import gzip
import os
import signal
import stat
import subprocess

import openai
import pytest

from conftest import MODEL, PROGRAM, read_answer, serve


def test_port_in_use(server):
    done = subprocess.run([PROGRAM, "serve", "-m", MODEL, "--port", str(server.port)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 11 and str(server.port) in done.stderr and "in use" in done.stderr


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4327", "localhost.evil.example", "127.0.0.1.nip.io", "", None])
def test_rebound_names_are_refused(server, host):
    answer = server.ask("GET", "/v1/models", headers={"Host": host})
    assert answer.http in ((403, 400) if host is None else (403,))


def test_foreign_pages_are_refused(server):
    for origin in ("https://evil.example", "null", "http://localhost:3000", "file://"):
        answer = server.ask("POST", "/v1/chat/completions", server.chat("hi"), {"Origin": origin, "Content-Type": "text/plain"})
        assert answer.http == 403 and "access-control-allow-origin" not in answer.headers
    answer = server.ask("GET", "/v1/models", headers={"Origin": f"http://127.0.0.1:{server.port}"})
    assert answer.http == 200
    for name in ("localhost", "127.0.0.1", "[::1]", "den.localhost"):
        assert server.ask("GET", "/health", headers={"Host": f"{name}:8080"}).http == 200


def test_page(server):
    answer = server.ask("GET", "/")
    assert answer.http == 200 and answer.headers["content-type"].startswith("text/html")
    assert "<html" in gzip.decompress(answer.body).decode().lower()
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert server.ask("GET", "/", headers={"If-None-Match": answer.headers["etag"]}).http == 304


def test_other_addresses_need_the_token(tmp_path):
    with serve(tmp_path, "--host", "0.0.0.0") as server:
        path = tmp_path / "home" / "token"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        token = path.read_text().strip()
        with pytest.raises(openai.AuthenticationError) as error:
            server.client("wrong").models.list()
        assert error.value.code == "invalid_api_key"
        assert server.client(token).models.list().data
        assert server.ask("GET", "/v1/models").http == 401
        assert server.ask("GET", "/health").http == 200
        assert server.ask("GET", "/").http == 200
        assert server.ask("GET", "/health", headers={"Host": "192.168.7.7"}).http == 200
        assert server.ask("GET", "/health", headers={"Host": "evil.example"}).http == 403


def test_signals_end_it_amid_work(tmp_path):
    for number in (signal.SIGTERM, signal.SIGINT):
        with serve(tmp_path) as server:
            connections = [server.begin("POST", "/v1/chat/completions", server.chat("Tell me a long story.", stream=s))
                           for s in (True, False, True)]
            connections[0].recv(100)
            server.process.send_signal(number)
            assert server.process.wait() == 0
            for connection in connections:
                assert b"[DONE]" not in read_answer(connection).body
