"""Two hundred clients at once: each gets its own answer, whole, and the server answers others meanwhile."""
import selectors
import time

from conftest import Answer
from test_clients import text_of

STREAMS = 200


def test_two_hundred_streams(server):
    """Held to a grammar, each answer says which question it belongs to."""
    connections, selector = {}, selectors.DefaultSelector()
    for number in range(STREAMS):
        connection = server.begin("POST", "/v1/chat/completions", server.chat(
            "Say the number.", max_tokens=12, stream=True, grammar=f'root ::= "number {number:03d}"'))
        connections[connection] = (number, bytearray())
        selector.register(connection, selectors.EVENT_READ)
    longest = 0.0
    started = time.monotonic()
    open_ones = STREAMS
    while open_ones:
        for key, _ in selector.select():
            piece = key.fileobj.recv(65536)
            connections[key.fileobj][1].extend(piece)
            if not piece:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                open_ones -= 1
        if open_ones == STREAMS // 2 or longest == 0:
            before = time.monotonic()
            assert server.ask("GET", "/health").http == 200
            longest = max(longest, time.monotonic() - before)
    assert longest < max(1.0, time.monotonic() - started)  # no thread of HTTP was short
    for number, data in connections.values():
        assert b"[DONE]" in data
        assert text_of(Answer(bytes(data))) == f"number {number:03d}"


def test_connections_beyond_the_limit_do_not_end_it(server):
    held = []
    for _ in range(600):
        try:
            held.append(server.connect())
        except OSError:
            break
    for connection in held:
        connection.close()
    assert server.ask("GET", "/health").http == 200
