"""Clients that vanish, dawdle or never finish: they harm nobody but themselves."""
import json
import time

import pytest

from conftest import Answer, read_answer, serve


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """A server that runs one request at a time, so that one left running would be felt."""
    with serve(tmp_path_factory.mktemp("den"), "--parallel", 1) as running:
        yield running


def long_story(server, **fields):
    return server.chat("Write a very long story.", logit_bias=no_end(server), **fields)


def no_end(server):
    """Bars the tokens that end an answer."""
    return {str(token): -100 for token in (0, 1, 2)}


def wait_seconds(server):
    answer = server.ask("POST", "/v1/chat/completions", server.chat("hi", max_tokens=1, den={}))
    assert answer.http == 200
    return answer.json()["den"]["wait_seconds"]


def first_bytes(connection, mark):
    data = b""
    while data.count(mark) < 3:
        data += connection.recv(4096)
    return data


@pytest.mark.parametrize("stream", [True, False])
def test_vanishing_ends_the_generation(single, stream):
    started = time.monotonic()
    single.ask("POST", "/v1/chat/completions", long_story(single, max_tokens=200))
    whole = time.monotonic() - started
    connection = single.begin("POST", "/v1/chat/completions", long_story(single, max_tokens=4000, stream=stream))
    if stream:
        first_bytes(connection, b"data: ")
    else:
        time.sleep(whole / 10)
    connection.close()
    assert wait_seconds(single) < whole  # 4000 tokens would have taken twenty times as long


def test_vanishing_while_the_prompt_is_read(single):
    connection = single.begin("POST", "/v1/chat/completions",
                              single.chat("word " * 3000, max_tokens=4000, stream=True))
    connection.recv(100)
    connection.close()
    assert wait_seconds(single) < 60
    assert single.process.poll() is None


def test_vanishing_in_line(single):
    running = single.begin("POST", "/v1/chat/completions", long_story(single, max_tokens=50, stream=True))
    first_bytes(running, b"data: ")
    waiting = [single.begin("POST", "/v1/chat/completions", long_story(single, max_tokens=4000)) for _ in range(10)]
    for connection in waiting:
        connection.close()
    data = b""
    while piece := running.recv(65536):
        data += piece
    assert b"[DONE]" in data
    assert wait_seconds(single) < 60


def test_slow_reader_does_not_hold_up_others(server):
    slow = server.begin("POST", "/v1/chat/completions", long_story(server, max_tokens=2000, stream=True), receive_buffer=2048)
    for _ in range(3):
        assert server.ask("POST", "/v1/chat/completions", server.chat("hi", max_tokens=3)).http == 200
    slow.close()


def test_late_reader_gets_everything(server):
    body = server.chat("Count from one to fifty.", max_tokens=150, stream=True)
    connection = server.begin("POST", "/v1/chat/completions", body, receive_buffer=2048)
    server.ask("POST", "/v1/chat/completions", server.chat("hi", max_tokens=20))  # meanwhile
    late = read_answer(connection)
    prompt = read_answer(server.begin("POST", "/v1/chat/completions", body))
    assert text_of(late) == text_of(prompt) and b"[DONE]" in late.body


def text_of(answer: Answer):
    data = b""
    rest = answer.body
    while rest:  # chunked
        size, _, rest = rest.partition(b"\r\n")
        data += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]
    events = [line[6:] for line in data.decode().split("\n") if line.startswith("data: {")]
    return "".join(json.loads(e)["choices"][0]["delta"].get("content", "") for e in events)


def test_unfinished_requests(server):
    starts = [b"", b"G", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: 127", b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
              b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"]
    held = []
    for _ in range(5):
        for start in starts:
            connection = server.connect()
            connection.sendall(start)
            held.append(connection)
    assert server.ask("GET", "/health").http == 200
    for connection in held[::2]:
        connection.close()
    assert server.ask("GET", "/health").http == 200
    for connection in held[1::2]:
        connection.close()


def test_two_requests_on_one_connection(server):
    client = server.client()
    for _ in range(3):
        assert client.models.list().data
    connection = server.connect()
    request = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()
    connection.sendall(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    data = b""
    while piece := connection.recv(4096):
        data += piece
    assert data.count(b"HTTP/1.1 200") == 2
    connection.close()
