"""Who may do what: every route with every scope, both headers, the page's cookie, TLS, and `den token`."""
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import time

import pytest

from conftest import PROGRAM, ROOT, Answer, serve

SCOPES = ["read", "chat", "admin"]
TABLE = (ROOT / "src/api/routes.c").read_text()
METHODS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "remove": "DELETE"}
ROUTES = [(path, method) for path, rest in re.findall(r'{ \.path = "([^"]+)",(.*?)},\n', TABLE, re.S)
          for field, method in METHODS.items() if f".{field} = " in rest]


def needed(path, method):
    """The scope that a route ought to need, written down once more: a new route must be thought about here."""
    if path in ("/", "/health", "/v1/health", "/api/version", "/openapi.json", "/api/login"):
        return None
    if path.startswith("/api/tokens") or path in ("/api/documents/paths", "/api/documents/read"):
        return "admin"
    if path.startswith("/api/watched"):
        return "chat" if method == "GET" else "admin"
    if path in ("/api/backup", "/api/restore"):
        return "admin"
    if path.startswith(("/api/downloads", "/api/roles", "/api/models", "/api/pull", "/api/delete", "/api/create", "/api/copy",
                        "/api/push")):
        return "read" if method == "GET" else "admin"
    if path.startswith("/v1/models") or path in ("/props", "/slots", "/metrics", "/api/server", "/api/tags",
                                                 "/api/show", "/api/ps", "/api/fit", "/api/activity"):
        return "read"
    return "chat"


def den_token(server, *arguments):
    done = subprocess.run([PROGRAM, "token", *arguments], capture_output=True, text=True, env=server.env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("guarded")
    with serve(scratch, "--require-token") as server:
        server.home = scratch / "home"
        server.env = {**os.environ, "DEN_HOME": str(server.home)}
        server.master = (server.home / "token").read_text().strip()
        server.tokens = {scope: den_token(server, "create", f"a {scope} token", "--scope", scope).strip() for scope in SCOPES}
        yield server


def status(server, method, path, headers=None):
    """Only the first line: some routes answer with a stream that does not end."""
    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
    connection = server.begin(method, path, body, headers)
    with connection:
        return int(connection.recv(65536).split()[1])


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path,method", ROUTES)
def test_every_route_with_every_scope(guarded, path, method):
    need, path = needed(path, method), re.sub(r"{[^}]*}", "nothing", path)
    for held in SCOPES:
        for headers in (bearer(guarded.tokens[held]), {"x-api-key": guarded.tokens[held]}):
            got = status(guarded, method, path, headers)
            allowed = need is None or SCOPES.index(held) >= SCOPES.index(need)
            assert (got not in (401, 403)) == allowed or (path == "/api/login" and got == 401), (held, got)
    for headers in ({}, bearer("den_" + "x" * 43), {"x-api-key": "none"}, {"Authorization": "Basic eDp5"},
                    {"Cookie": "den_session=den_" + "x" * 43}):
        got = status(guarded, method, path, headers)
        assert (got == 401) == (need is not None) or path == "/api/login", (headers, got)


def test_two_keys_have_the_right_of_the_lesser(guarded):
    """A check on one header must not be passed by showing another (CVE-2026-45339)."""
    low, high = guarded.tokens["read"], guarded.tokens["admin"]
    for one, other in ((low, high), (high, low)):
        assert status(guarded, "GET", "/api/tokens", {**bearer(one), "x-api-key": other}) == 403
    assert status(guarded, "GET", "/api/tokens", {**bearer(high), "x-api-key": "wrong"}) == 401
    assert status(guarded, "GET", "/api/tokens", {**bearer("wrong"), "x-api-key": high}) == 401
    assert status(guarded, "GET", "/api/tokens", {**bearer(high), "x-api-key": high}) == 200


def test_a_refusal_says_what_is_needed(guarded):
    answer = guarded.ask("GET", "/api/tokens", headers=bearer(guarded.tokens["chat"]))
    assert answer.http == 403 and answer.error()["type"] == "permission_error"
    assert "'admin'" in answer.error()["message"] and "'chat'" in answer.error()["message"]


def test_tokens_over_http(guarded):
    admin = bearer(guarded.master)
    made = guarded.ask("POST", "/api/tokens", {"name": "笔记本", "scope": "chat", "id": "chosen", "sha256": "0" * 64,
                                               "last_used": 5}, admin)
    token = made.json()
    assert made.http == 201 and token["token"].startswith("den_") and token["id"] != "chosen" and token["last_used"] is None
    listed = guarded.ask("GET", "/api/tokens", headers=admin).json()["tokens"]
    entry = next(t for t in listed if t["id"] == token["id"])
    assert entry == {k: v for k, v in token.items() if k != "token"} and entry["name"] == "笔记本"
    assert "token" not in entry and "sha256" not in entry
    assert status(guarded, "GET", "/v1/models", bearer(token["token"])) == 200
    assert guarded.ask("DELETE", f"/api/tokens/{token['id']}", headers=admin).http == 200
    assert status(guarded, "GET", "/v1/models", bearer(token["token"])) == 401
    assert guarded.ask("DELETE", f"/api/tokens/{token['id']}", headers=admin).http == 404
    for wrong in ({}, {"name": "x"}, {"name": "x", "scope": "root"}, {"name": "", "scope": "read"}, {"name": 3, "scope": "read"},
                  {"name": "x" * 101, "scope": "read"}, {"scope": "read"}):
        assert guarded.ask("POST", "/api/tokens", wrong, admin).http == 400


def test_the_verb_and_the_server_see_each_other(guarded):
    token = den_token(guarded, "create", "by the verb", "--scope", "read").strip()
    assert status(guarded, "GET", "/v1/models", bearer(token)) == 200
    listed = json.loads(den_token(guarded, "list", "--json"))
    entry = next(t for t in listed if t["name"] == "by the verb")
    assert entry["id"] in den_token(guarded, "list") and token not in den_token(guarded, "list")
    den_token(guarded, "revoke", entry["id"])
    assert status(guarded, "GET", "/v1/models", bearer(token)) == 401
    file = guarded.home / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(kept in file.read_text() for kept in guarded.tokens.values())
    for arguments in (["create"], ["revoke"], ["revoke", "nothing"], ["burn"], ["list", "x"], ["create", "x", "--scope", "all"]):
        assert subprocess.run([PROGRAM, "token", *arguments], capture_output=True, env=guarded.env).returncode != 0


def test_the_verb_alone_lists(guarded):
    assert den_token(guarded) == den_token(guarded, "list") and "a read token" in den_token(guarded)


@pytest.mark.parametrize("path", ["/api/events", "/v1/chat/completions"])
def test_what_a_revoked_token_has_open_ends(guarded, path):
    token = den_token(guarded, "create", "soon gone", "--scope", "chat").strip()
    kept = den_token(guarded, "create", "stays", "--scope", "chat").strip()
    body = {**guarded.chat("Count to a thousand."), "stream": True, "max_tokens": 4000, "ignore_eos": True} \
        if "chat" in path else None
    streams = [guarded.begin("POST" if body else "GET", path, body, bearer(one)) for one in (token, kept)]
    for stream in streams:
        stream.settimeout(60)
        assert b"200 OK" in stream.recv(65536)
    entry = next(t for t in json.loads(den_token(guarded, "list", "--json")) if t["name"] == "soon gone")
    den_token(guarded, "revoke", entry["id"])
    last = b""
    while piece := receive(streams[0]):
        last = (last + piece)[-100:]
    assert b"[DONE]" not in last and not last.endswith(b"0\r\n\r\n")  # cut off, not ended
    streams[0].close()
    assert ask_activity(guarded, kept)  # the other one goes on
    streams[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        while streams[1].recv(65536):
            pass
    streams[1].close()


def receive(stream):
    try:
        return stream.recv(65536)
    except ConnectionResetError:
        return b""


def ask_activity(guarded, token):
    return status(guarded, "GET", "/api/activity", bearer(token)) == 200


def cookie_of(answer):
    whole = answer.headers["set-cookie"]
    assert "HttpOnly" in whole and "SameSite=Strict" in whole and "Path=/" in whole
    return {"Cookie": whole.split(";")[0]}


def test_the_page_trades_its_token_for_a_cookie(guarded):
    for token in ("", "wrong", guarded.master[:-1], guarded.master + " "):
        answer = guarded.ask("POST", "/api/login", {"token": token})
        assert answer.http == 401 and "set-cookie" not in answer.headers
    answer = guarded.ask("POST", "/api/login", {"token": guarded.tokens["chat"]})
    assert answer.http == 200 and guarded.tokens["chat"] not in answer.headers["set-cookie"]
    cookie = cookie_of(answer)
    assert status(guarded, "GET", "/v1/models", cookie) == 200
    assert status(guarded, "GET", "/api/tokens", cookie) == 403  # no more right than the token
    assert status(guarded, "GET", "/v1/models", {**cookie, "Sec-Fetch-Site": "same-origin"}) == 200
    for site in ("cross-site", "same-site"):  # another port of this machine is the same site
        assert status(guarded, "GET", "/v1/models", {**cookie, "Sec-Fetch-Site": site}) == 403
    assert status(guarded, "POST", "/api/tokens", {**cookie, "Origin": "http://127.0.0.1:1"}) == 403
    assert guarded.ask("DELETE", "/api/login", headers=cookie).http == 200
    assert status(guarded, "GET", "/v1/models", cookie) == 401


def test_a_session_ends_with_its_token(guarded):
    token = guarded.ask("POST", "/api/tokens", {"name": "short", "scope": "read"}, bearer(guarded.master)).json()
    cookie = cookie_of(guarded.ask("POST", "/api/login", {"token": token["token"]}))
    assert status(guarded, "GET", "/v1/models", cookie) == 200
    den_token(guarded, "revoke", token["id"])
    assert status(guarded, "GET", "/v1/models", cookie) == 401


def test_the_server_says_how_it_is_guarded(guarded, server):
    told = guarded.ask("GET", "/api/server", headers=bearer(guarded.tokens["read"])).json()
    assert told["token_required"] and told["scope"] == "read" and not told["tls"] and told["version"]
    assert told["address"] == guarded.url and told["home"] == str(guarded.home)
    assert told["sandbox"]["level"] and len(told["sandbox"]["walls"]) > 10
    assert not any(token in json.dumps(told) for token in [guarded.master, *guarded.tokens.values()])
    told = server.ask("GET", "/api/server").json()
    assert not told["token_required"] and told["scope"] == "admin"


def test_a_token_is_held_to_its_scope_on_loopback_too(tmp_path):
    with serve(tmp_path) as server:
        token = server.ask("POST", "/api/tokens", {"name": "x", "scope": "read"}).json()
        assert status(server, "GET", "/api/tokens", bearer("any key will do")) == 200
        assert status(server, "GET", "/api/tokens", bearer(token["token"])) == 403
        assert server.ask("DELETE", f"/api/tokens/{token['id']}").http == 200
        assert status(server, "GET", "/v1/models", bearer(token["token"])) == 401  # revoked, not merely anybody


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with serve(tmp_path, "--tls-certificate", certificate, "--tls-key", key, "--require-token") as server:
        assert server.line.startswith("Den is at https://")
        token = (tmp_path / "home" / "token").read_text().strip()

        def ask(method, path, body=b"", **headers):
            trusted = ssl.create_default_context(cafile=str(certificate))
            with trusted.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="127.0.0.1") as tls:
                lines = {"Host": f"127.0.0.1:{server.port}", "Connection": "close", "Content-Length": len(body), **headers}
                tls.sendall((f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())).encode()
                            + b"\r\n" + body)
                data = b""
                while piece := tls.recv(65536):
                    data += piece
            return Answer(data)

        assert ask("GET", "/api/server", Authorization=f"Bearer {token}").json()["tls"]
        answer = ask("POST", "/api/login", json.dumps({"token": token}).encode(), Origin=f"https://127.0.0.1:{server.port}")
        assert answer.http == 200 and "; Secure" in answer.headers["set-cookie"]
        chat = json.dumps({**server.chat("Count to three."), "stream": True, "max_tokens": 5}).encode()
        assert b"data: [DONE]" in ask("POST", "/v1/chat/completions", chat, Authorization=f"Bearer {token}").body
        began = time.monotonic()
        assert status_plain(server.port) != 200
        assert time.monotonic() - began < 20  # it is told or hung up, not left waiting


def status_plain(port):
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = plain.recv(1000)
    return int(reply.split()[1]) if reply.startswith(b"HTTP/") else 0


def test_tls_files_that_are_none(tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    for arguments, cause in ((["--tls-certificate", bad], "both"), (["--tls-certificate", bad, "--tls-key", bad], "PEM"),
                             (["--tls-certificate", tmp_path / "none", "--tls-key", bad], "none")):
        done = subprocess.run([PROGRAM, "serve", "--port", "0", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode != 0 and cause in done.stderr, done.stderr
