"""Answers that are written whether or not anybody looks on, and the pages that do."""
import contextlib
import http.client
import json
import signal
import socket
import threading
import time

from conftest import serve
from test_threads import ask, make, new, ok


class Page:
    """An open event stream, read on a thread of its own."""

    def __init__(self, server, thread=None):
        self.events, self.changed, self.closed = [], threading.Condition(), False
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self.connection.request("GET", "/api/events" + (f"?thread={thread}" if thread else ""))
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        threading.Thread(target=self.read, daemon=True).start()
        self.wait(lambda name, data: name == "hello")

    def read(self):
        data = b""
        try:
            while piece := self.response.read1(65536):
                data += piece
                if b"\n\n" in piece or data.endswith(b"\n\n"):
                    *whole, data = data.split(b"\n\n")
                    for event in whole:
                        self.take(event.decode())
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass # the program or the test has closed it
        finally:
            with self.changed:
                self.closed = True
                self.changed.notify_all()

    def take(self, text):
        name = data = None
        for line in text.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
        if name:
            with self.changed:
                self.events.append((name, data))
                self.changed.notify_all()

    def wait(self, wanted):
        """The first event that is wanted, from the beginning on."""
        with self.changed:
            at = 0
            while True:
                for event in self.events[at:]:
                    if wanted(*event):
                        return event[1]
                at = len(self.events)
                assert not self.closed, self.events[-3:]
                self.changed.wait()

    def text(self, message):
        """What the deltas of a message say, having checked that none is missing or doubled."""
        deltas = [data for name, data in self.events if name in ("delta", "reasoning") and data["message"] == message]
        assert [d["seq"] for d in deltas] == list(range(deltas[0]["seq"], deltas[0]["seq"] + len(deltas)))
        return "".join(d["text"] for d in deltas)

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)


def start(server, thread, content, **fields):
    body = {"id": new("q"), "answer_id": new("a"), "content": content, **fields}
    return ok(server.ask("POST", f"/api/threads/{thread}/messages", body), 201)["answer"]["id"]


def await_end(server, thread):
    while True:
        full = ok(server.ask("GET", f"/api/threads/{thread}"))
        if not full["running"]:
            return full
        time.sleep(0.05)


def test_many_pages_see_the_same(server):
    thread = make(server, parameters={"temperature": 0, "max_tokens": 24})["id"]
    pages = [Page(server, thread) for _ in range(32)]
    elsewhere = Page(server)
    answer = start(server, thread, "Tell me about rain.")
    ends = [page.wait(lambda name, data: name == "end") for page in pages]
    assert all(end == ends[0] for end in ends)
    message = ends[0]["message"]
    assert message["id"] == answer and message["finish"] == "length" and message["content"]
    assert {page.text(answer) for page in pages} == {message["content"]}
    assert message["measures"]["generated_tokens"] == 24 and message["measures"]["context_tokens"] > 0
    assert message["measures"]["prompt_tokens"] > 0 and message["measures"]["tokens_per_s"] > 0
    assert ok(server.ask("GET", f"/api/threads/{thread}"))["messages"][1] == message
    elsewhere.wait(lambda name, data: name == "thread" and data["thread"]["id"] == thread and not data["thread"]["running"])
    assert not [name for name, _ in elsewhere.events if name in ("delta", "end", "message")]
    for page in [*pages, elsewhere]:
        page.close()


def test_an_answer_needs_no_page_and_one_can_come_late(server):
    thread = make(server, parameters={"temperature": 0, "max_tokens": 200})["id"]
    answer = start(server, thread, "Tell a long story about a fox.")
    while not (full := ok(server.ask("GET", f"/api/threads/{thread}")))["messages"][1]["seq"]:
        time.sleep(0.02)
    page = Page(server, thread)
    seen = ok(server.ask("GET", f"/api/threads/{thread}"))["messages"][1]
    assert seen["finish"] is None and seen["content"]
    end = page.wait(lambda name, data: name == "end")["message"]
    rest = "".join(d["text"] for n, d in page.events if n == "delta" and d["seq"] > seen["seq"])
    assert seen["content"] + rest == end["content"] and end["id"] == answer
    page.close()
    assert full["running"]


def test_stop_continue_and_another(server):
    thread = make(server, parameters={"temperature": 0, "max_tokens": 2000})["id"]
    path = f"/api/threads/{thread}"
    answer = start(server, thread, "Count from one to a thousand.")
    page = Page(server, thread)
    page.wait(lambda name, data: name == "delta" and data["seq"] > 3)
    assert ok(server.ask("POST", f"{path}/stop", {"message": answer})) == {}
    stopped = await_end(server, thread)["messages"][1]
    assert stopped["finish"] == "stopped" and stopped["content"]
    ok(server.ask("PATCH", path, {"parameters": {"temperature": 0, "max_tokens": 8}}))
    more = ok(server.ask("POST", f"{path}/answers", {"continue": answer}), 201)["answer"]
    assert more["finish"] is None and more["content"] == stopped["content"]
    longer = await_end(server, thread)["messages"][1]
    assert longer["content"].startswith(stopped["content"]) and longer["seq"] > stopped["seq"]
    question = longer["parent"]
    other = ok(server.ask("POST", f"{path}/answers", {"parent": question, "parameters": {"max_tokens": 2}}), 201)["answer"]
    full = await_end(server, thread)
    assert [m["parent"] for m in full["messages"]] == [None, question, question] and full["head"] == other["id"]
    assert ok(server.ask("POST", f"{path}/stop")) == {}
    page.close()


def test_failures_are_part_of_the_thread(server):
    thread = make(server, model="no-such-model")["id"]
    start(server, thread, "Anybody?")
    message = await_end(server, thread)["messages"][1]
    assert message["finish"] == "error" and message["error"]["code"] == "model_not_found"
    thread = make(server)["id"]
    start(server, thread, "word " * 100000)
    message = await_end(server, thread)["messages"][1]
    assert message["error"]["code"] == "context_length_exceeded"


def test_attachments_and_the_system_prompt_are_read(server):
    short, long = make(server)["id"], make(server, system="Be kind. " * 50)["id"]
    sizes = []
    for thread, extra in ((short, {}), (short, {"attachments": [{"name": "a.txt", "text": "leaf " * 100}]}), (long, {})):
        ok(server.ask("PATCH", f"/api/threads/{thread}", {"parameters": {"max_tokens": 1}}))
        start(server, thread, "Go.", **extra)
        sizes.append(await_end(server, thread)["messages"][-1]["measures"]["prompt_tokens"])
    assert sizes[1] > sizes[0] + 100 and sizes[2] > sizes[0] + 50


def test_changes_reach_every_page(server):
    page = Page(server)
    thread = make(server)["id"]
    page.wait(lambda name, data: name == "thread" and data["thread"]["id"] == thread)
    ok(server.ask("POST", "/api/folders", {"name": "Seen"}), 201)
    assert page.wait(lambda name, data: name == "folders")["folders"][-1]["name"]
    ok(server.ask("PATCH", "/api/settings", {"seen": 1}))
    assert page.wait(lambda name, data: name == "settings")["settings"]["seen"] == 1
    ok(server.ask("DELETE", f"/api/threads/{thread}"))
    page.wait(lambda name, data: name == "thread.deleted" and data["id"] == thread)
    page.close()


def test_a_page_that_does_not_read_is_dropped_and_nobody_waits(server):
    thread = make(server)["id"]
    asleep = server.begin("GET", f"/api/events?thread={thread}", receive_buffer=4096)
    awake = Page(server, thread)
    for _ in range(24):
        message = ask(server, thread, "x" * 500000)
        awake.wait(lambda name, data: name == "message" and data["message"]["id"] == message["id"])
    received = 0
    with asleep, contextlib.suppress(ConnectionResetError):
        while piece := asleep.recv(1 << 20):
            received += len(piece)
    assert received < 24 * 500000
    awake.close()


def test_what_a_stop_of_the_program_cuts_is_kept(tmp_path):
    with serve(tmp_path) as server:
        thread = make(server, parameters={"temperature": 0, "max_tokens": 2000})["id"]
        start(server, thread, "Count from one to a thousand.")
        page = Page(server, thread)
        page.wait(lambda name, data: name == "delta" and data["seq"] > 3)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()
    with serve(tmp_path) as server:
        message = ok(server.ask("GET", f"/api/threads/{thread}"))["messages"][1]
        assert message["finish"] == "error" and message["error"]["code"] == "interrupted" and message["content"]
