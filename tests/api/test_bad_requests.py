"""Requests that are wrong: each has its status and says which field and why."""
import pytest

from conftest import read_answer

HI = [{"role": "user", "content": "hi"}]
WRONG = [
    ({}, "messages"), ({"messages": []}, "messages"), ({"messages": {}}, "messages"), ({"messages": "hi"}, "messages"),
    ({"messages": [1]}, "messages[0]"), ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "x", "content": "y"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
     "messages[0].content[0].type"),
    ({"messages": HI, "model": 5}, "model"), ({"messages": HI, "temperature": "1"}, "temperature"),
    ({"messages": HI, "temperature": 3}, "temperature"), ({"messages": HI, "top_p": -1}, "top_p"),
    ({"messages": HI, "max_tokens": 0}, "max_tokens"), ({"messages": HI, "max_tokens": 1.5}, "max_tokens"),
    ({"messages": HI, "n": 1000}, "n"), ({"messages": HI, "stream": "true"}, "stream"),
    ({"messages": HI, "stop": [1]}, "stop"), ({"messages": HI, "stop": [""]}, "stop"),
    ({"messages": HI, "stop": ["x"] * 100}, "stop"), ({"messages": HI, "stop": "x" * 5000}, "stop"),
    ({"messages": HI, "seed": "1"}, "seed"), ({"messages": HI, "top_logprobs": 2}, "top_logprobs"),
    ({"messages": HI, "logprobs": True, "top_logprobs": 50}, "top_logprobs"),
    ({"messages": HI, "logit_bias": {"-1": 1}}, "logit_bias"), ({"messages": HI, "logit_bias": {"99999999": 1}}, "logit_bias"),
    ({"messages": HI, "logit_bias": {"1": 1000}}, "logit_bias"), ({"messages": HI, "logit_bias": [1]}, "logit_bias"),
    ({"messages": HI, "response_format": {"type": "xml"}}, "response_format"),
    ({"messages": HI, "response_format": {"type": "json_schema"}}, "response_format"),
    ({"messages": HI, "tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
    ({"messages": HI, "audio": {"voice": "alloy"}}, "audio"), ({"messages": HI, "web_search_options": {}}, "web_search_options"),
    ({"messages": HI, "reasoning_effort": "extreme"}, "reasoning_effort"),
    ({"messages": HI, "stream_options": {"include_usage": True}}, "stream_options"),
    ({"messages": HI, "tool_choice": "required"}, "tool_choice"),
]


@pytest.mark.parametrize("body,param", WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_wrong_field_is_named(server, body, param):
    answer = server.ask("POST", "/v1/chat/completions", body)
    assert answer.http == 400
    assert answer.error()["param"] == param and answer.error()["type"] == "invalid_request_error"
    assert answer.error()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"messages":' + b"[" * 100000,
                                  b'{"a":"\\ud800"}', b'{"messages": [{"role": "user", "content": "x"}]} trailing',
                                  b'{"messages": 1, "messages": 2}', b'{"seed": 1e400}', b"{" + b"\x00" * 50 + b"}"])
def test_body_that_is_no_request(server, body):
    answer = server.ask("POST", "/v1/chat/completions", body)
    assert answer.http == 400 and answer.error()["message"]


def test_unknown_model(server):
    answer = server.ask("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": HI})
    assert answer.http == 404 and answer.error()["code"] == "model_not_found"


def test_odd_texts_are_answered(server):
    for text in ("", "\x00", "\U0001f469\u200d\U0001f4bb", "<|im_start|>system\n", "\ud7ff\ue000\uffff", "a" * 3000, "{{ messages }}"):
        answer = server.ask("POST", "/v1/chat/completions", server.chat(text, max_tokens=2))
        assert answer.http == 200, (text, answer.body)


def test_large_bodies(server):
    limit = 32 << 20
    announced = server.ask("POST", "/v1/chat/completions", b"", {"Content-Length": str(limit + 1)})
    assert announced.http == 413
    many = server.ask("POST", "/v1/chat/completions", {"messages": HI * 10001})
    assert many.http == 413 and many.error()["param"] == "messages"
    long = server.ask("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "word " * 200000}]})
    assert long.http == 400 and long.error()["code"] == "context_length_exceeded"


def test_chunked_body(server):
    connection = server.begin("POST", "/v1/chat/completions", headers={"Transfer-Encoding": "chunked"})
    for piece in (b'{"messages":', b'[{"role":"user","content":"hi"}],', b'"max_tokens":2}'):
        connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
    connection.sendall(b"0\r\n\r\n")
    assert read_answer(connection).http == 200


def test_routes_and_methods(server):
    assert server.ask("GET", "/nowhere").http == 404
    assert server.ask("GET", "/v1/nothing").error()["code"] == "not_found"
    for method, path, allow in (("DELETE", "/v1/models", "GET, HEAD"), ("GET", "/v1/chat/completions", "POST"),
                                ("BREW", "/health", "GET, HEAD")):
        answer = server.ask(method, path)
        assert answer.http == 405 and answer.headers["allow"] == allow
    assert server.ask("OPTIONS", "/v1/chat/completions").http == 204
    head = server.ask("HEAD", "/v1/models")
    assert head.http == 200 and head.body == b"" and int(head.headers["content-length"]) > 100
    assert server.ask("GET", "/health").json()["status"] == "ok"


def test_huge_headers(server):
    assert server.ask("GET", "/health", headers={"X-Long": "a" * 200000}).http in (0, 400, 413, 431)
    assert server.ask("GET", "/" + "a" * 200000).http in (0, 404, 414)
    assert server.ask("GET", "/health").http == 200
