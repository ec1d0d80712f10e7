"""What has gone wrong in programs like this one, each class tried here. The ids name an instance of the class, not a defect of
Den. XSS in the page is tried by tests/web, model files by tests/cli/test_bad_models.py and tests/fuzz, the sandbox by tests/escape."""
import json
import socket
import threading
import urllib.parse

import pytest

from conftest import read_answer


def alive(server):
    return server.process.poll() is None and server.ask("GET", "/health").http == 200


# --- who asks: DNS rebinding and other pages (CVE-2024-28224, 2025-66414, 2026-59950, 2026-32617, 2026-2611, 2025-49596) ---

@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.", "127.0.0.1@evil.example",
                                  "127.0.0.1:80:evil.example", "127.0.0.1#.evil.example", "[::1].evil.example", "0x7f.1", "2130706433",
                                  "127.1", "::1", "localhost:99999", "localhost:-1", "１２７.0.0.1".encode().decode("latin-1")])
def test_rebound_host(server, host):
    assert server.ask("GET", "/v1/models", headers={"Host": host}).http in (400, 403)


def test_proxy_headers_are_not_believed(server):
    """CVE-2026-81315: X-Forwarded-* must not stand in for Host or Origin."""
    for headers in ({"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"}, {"Host": "evil.example", "Forwarded": "host=127.0.0.1"},
                    {"Origin": "http://evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}):
        assert server.ask("GET", "/v1/models", headers=headers).http == 403


def test_absolute_address_and_two_hosts(server):
    connection = server.connect()
    connection.sendall(b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert read_answer(connection).http in (400, 403, 404)
    connection = server.connect()
    connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert read_answer(connection).http in (400, 403)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE", "PUT", "PATCH"])
def test_foreign_origin(server, method):
    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
    for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example", f"http://127.0.0.1:{server.port}.evil.example",
                   f"http://127.0.0.1:{server.port + 1}", f"http://127.0.0.1:{server.port}@evil.example", "chrome-extension://abc"):
        answer = server.ask(method, "/v1/chat/completions", body, {"Origin": origin, "Access-Control-Request-Method": "POST",
                                                                  "Content-Type": "text/plain"})
        assert answer.http == 403 and not any(name.startswith("access-control") for name in answer.headers)


def test_requests_that_another_page_causes_without_an_origin(server):
    for site in ("cross-site", "same-site", "Cross-Site", "nonsense"):
        assert server.ask("GET", "/api/server", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).http == 403
    for site in ("same-origin", "none"):
        assert server.ask("GET", "/api/server", headers={"Sec-Fetch-Site": site}).http == 200
    assert server.ask("GET", "/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).http == 200  # a link


# --- paths (CVE-2024-5211, 2024-3025, 2024-13059, 2026-48789, 2024-37032, 2026-24478, 2025-53109) ---

CLIMBS = ["../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..\\..\\..\\etc\\passwd",
          "..%5c..%5cetc%5cpasswd", "....//....//etc/passwd", "%252e%252e%252fetc%252fpasswd", "．．／．．／etc／passwd", "‥/‥/etc/passwd",
          "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "index.html%00.png", "%00", "..%00/", "..;/etc/passwd", "%c0%ae%c0%ae/etc/passwd"]


@pytest.mark.parametrize("climb", CLIMBS)
def test_paths_out_of_the_page(server, climb):
    for prefix in ("/", "/assets/", "/v1/models/", "/api/threads/", "/api/tokens/"):
        path = prefix + urllib.parse.quote(climb, safe="/%\\:;.")
        answer = server.ask("GET", path)
        assert answer.http in (400, 403, 404, 405) and b"root:" not in answer.body, (path, answer.http)


@pytest.mark.parametrize("name", [*CLIMBS, "sha256:../../etc/passwd", "~/.ssh/id_rsa", "$HOME", "smollm2/../../x", "a\x00b", "x" * 5000, "-h"])
def test_model_names_are_no_paths(server, name):
    answer = server.ask("POST", "/v1/chat/completions", server.chat("hi", model=name, max_tokens=1))
    assert answer.http in (400, 404) and b"root:" not in answer.body
    assert alive(server)


# --- numbers and shapes (CVE-2026-21869, 2025-53630, 2025-52566, 2024-3569, 2026-27896, 2024-8251) ---

NUMBERS = [-1, -2**31, 2**31, 2**32, 2**53 + 1, -2**63, 2**63 - 1, 2**63, 10**30, 1e308, -1e308, 5e-324, 0.5, -0.0]


@pytest.mark.parametrize("field", ["max_tokens", "n", "seed", "top_k", "top_p", "temperature", "frequency_penalty", "presence_penalty",
                                   "repeat_penalty", "repeat_last_n", "min_p", "top_logprobs", "n_predict", "n_keep", "n_discard", "id_slot",
                                   "max_completion_tokens"])
def test_huge_and_negative_numbers(server, field):
    for number in NUMBERS:
        body = {"max_tokens": 1, **server.chat("hi"), "logprobs": True, field: number}
        if field in ("max_tokens", "max_completion_tokens", "n_predict") and number > 1:
            body["stop"] = ["a", "e", "i", "o", " "]  # allowed, and not to be waited for
        assert server.ask("POST", "/v1/chat/completions", body).http in (200, 400), number
    assert alive(server)


def test_numbers_that_are_none(server):
    for text in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"0x10", b"01", b"+1", b"1_000", b"9" * 5000):
        body = b'{"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1, "temperature": ' + text + b"}"
        assert server.ask("POST", "/v1/chat/completions", body).http == 400, text
    bias = {"-1": 1, "99999999999999999999": 1, "1e3": 1, "": 1}
    for key in bias:
        assert server.ask("POST", "/v1/chat/completions", server.chat("hi", max_tokens=1, logit_bias={key: 1})).http == 400, key


def test_token_ids_from_outside(server):
    for ids in ([-1], [2**31], [2**40], [10**18], [0.5], [None]):
        for path, field in (("/v1/completions", "prompt"), ("/detokenize", "tokens"), ("/v1/embeddings", "input")):
            assert server.ask("POST", path, {field: ids, "max_tokens": 1}).http in (400, 404, 422), (path, ids)
    assert alive(server)


def test_deep_and_wide_json(server):
    for body in (b"[" * 100000, b'{"a":' * 100000, b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a": "' + b"\\" * 99999,
                 b'{"messages": [' + b"{}," * 200000 + b"{}]}"):
        assert server.ask("POST", "/v1/chat/completions", body).http in (400, 413)
    assert alive(server)


def test_keys_are_taken_as_they_are(server):
    """CVE-2026-27896: a key in another case must not be read as the key; nor may one come twice."""
    for body in (b'{"Messages": [{"role": "user", "content": "hi"}]}', b'{"messages": [{"Role": "user", "content": "hi"}]}',
                 b'{"messages": [{"role": "user", "content": "hi"}], "messages": []}', b'{"mess\\u0061ges\\u0000": []}',
                 b'{"MESSAGES": [], "messag\xc4\x93s": []}'):
        assert server.ask("POST", "/v1/chat/completions", body).http == 400, body


def test_objects_where_text_belongs(server):
    """CVE-2024-8251: an operator object in place of a value."""
    for wrong in ({"$ne": ""}, {"not": ""}, {"contains": "a"}, ["a"], 1, True):
        assert server.ask("POST", "/v1/chat/completions", server.chat("hi", model=wrong)).http == 400
        assert server.ask("POST", "/api/tokens", {"name": wrong, "scope": "read"}).http == 400
        assert server.ask("POST", "/api/login", {"token": wrong}).http in (400, 401)


def test_search_words_are_words(server):
    """CVE-2026-32628, 2026-42208: no statement, and no operator of the full-text index, comes from outside."""
    for words in ("' OR 1=1 --", '"; DROP TABLE messages; --', "NEAR(a b", "a* AND (", "title:x", '"', "%", "\\", "^a", "{a b}:c", "-", "*"):
        answer = server.ask("GET", "/api/threads?q=" + urllib.parse.quote(words))
        assert answer.http in (200, 400), (words, answer.body)
    for cursor in ("' OR 1=1", "-1", "9" * 40, "\x00"):
        assert server.ask("GET", "/api/threads?before=" + urllib.parse.quote(cursor)).http in (200, 400)
    for limit in ("-1", "0", "99999999999999999999", "1e3", "x"):
        assert server.ask("GET", "/api/threads?limit=" + limit).http in (200, 400)


# --- nothing is fetched because a request or a model names it (CVE-2024-0455, 2026-45400, 2024-7959, 2025-32711) ---

def test_addresses_in_requests_are_not_fetched(server):
    seen, trap = [], socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: seen.append(trap.accept()), daemon=True).start()
    url = f"http://127.0.0.1:{trap.getsockname()[1]}/picture.png"
    server.ask("POST", "/v1/chat/completions", server.chat("hi", model=url, max_tokens=1))
    server.ask("POST", "/v1/chat/completions", {"max_tokens": 1, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": url}}]}]})
    server.ask("POST", "/v1/chat/completions", server.chat(f"Repeat: ![x]({url})", max_tokens=40))
    server.ask("POST", "/v1/responses", {"max_output_tokens": 1, "input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": url}, {"type": "input_file", "file_url": url}]}]})
    trap.close()
    assert not seen


# --- what is told (CVE-2026-24477, 2026-21484) ---

def test_refusals_tell_nothing(server):
    replies = {json.dumps(server.ask("POST", "/api/login", {"token": token}).json()) for token in ("x", "admin", "den_" + "a" * 43, "x" * 9000)}
    assert len(replies) == 1
    for path in ("/api/server", "/v1/models", "/props", "/metrics", "/health", "/api/tokens"):
        body = server.ask("GET", path).body
        assert b"sha256" not in body and b"den_session" not in body


def test_pages_cannot_frame_or_sniff(server):
    for path in ("/", "/v1/models", "/no/such/page", "/api/server"):
        headers = server.ask("GET", path).headers
        policy = headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy and "unsafe" not in policy
        assert headers["cross-origin-resource-policy"] == "same-origin" and headers["referrer-policy"] == "no-referrer"


# --- requests that end in another place than they began (smuggling), and headers that add headers ---

def test_ambiguous_lengths(server):
    inner = b"GET /api/tokens HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for head in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: -1\r\n",
                 b"Content-Length: +5\r\n", b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: xchunked\r\n"):
        connection = server.connect()
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + head + b"\r\n0\r\n\r\n" + inner)
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)
        assert answer.http in (0, 400, 411, 413, 501) and b'"tokens"' not in answer.body, head
    assert alive(server)


def test_line_ends_in_values_do_not_split_the_reply(server):
    for path in ("/v1/models/x%0d%0aSet-Cookie:%20a=b", "/api/threads/x%0d%0a%0d%0a<script>", "/x%0d%0aX-Evil:%201"):
        answer = server.ask("GET", path)
        assert answer.http in (400, 404) and "set-cookie" not in answer.headers and "x-evil" not in answer.headers
