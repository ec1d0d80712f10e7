"""The program is killed at any moment: what it acknowledged is there, and what is sent again is there once."""
import os
import random
import signal
import sqlite3
import threading
import time

import pytest

from conftest import serve
from test_threads import new, ok

ROUNDS = int(os.environ.get("DEN_DURABILITY_ROUNDS", "30"))


class Writer(threading.Thread):
    """Posts one message after the other, each the child of the one before, until the program is gone; keeps the last one
    that was not acknowledged and sends it again to the next program."""

    def __init__(self, thread):
        super().__init__()
        self.thread, self.acknowledged, self.pending, self.resent = thread, {}, None, 0

    def again(self):
        writer = Writer(self.thread)
        writer.acknowledged, writer.pending, writer.resent = self.acknowledged, self.pending, self.resent
        return writer

    def run(self):
        while True:
            if self.pending is None:
                number = len(self.acknowledged)
                self.pending = {"id": new("m"), "parent": next(reversed(self.acknowledged), None),
                                "content": f"message {number} " + "x" * random.randrange(2000),
                                "answer": number % 7 == 3, "answer_id": new("a")}
            try:
                answer = self.server.ask("POST", f"/api/threads/{self.thread}/messages", self.pending)
            except OSError:
                return
            if answer.http == 429: # more answers at once than the program writes
                self.pending["answer"] = False
                continue
            if answer.http not in (200, 201) or not answer.body.endswith(b"}\n"):
                assert answer.http == 0 or not answer.body.endswith(b"}\n"), answer.body
                return
            self.resent += answer.http == 200
            self.acknowledged[self.pending["id"]] = self.pending["content"]
            self.pending = None


def check(home, writers):
    database = sqlite3.connect(home / "den.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.execute("INSERT INTO messages_text (messages_text) VALUES ('integrity-check')")
    for writer in writers:
        rows = database.execute("SELECT m.id, m.content FROM messages m JOIN threads t ON t.row = m.thread "
                                "WHERE t.id = ? AND m.role = 'user'", (writer.thread,)).fetchall()
        there = dict(rows)
        assert len(there) == len(rows)
        for key, content in writer.acknowledged.items():
            assert there.pop(key, None) == content, f"lost {key}"
        assert set(there) <= {writer.pending["id"] if writer.pending else None}, "a message nobody sent"
    database.close()


def test_nothing_acknowledged_is_lost(tmp_path):
    random.seed(7)
    writers = []
    for number in range(ROUNDS):
        checked = False
        with pytest.raises(AssertionError): # serve() expects an orderly end
            with serve(tmp_path) as server:
                if not writers:
                    parameters = {"max_tokens": 2, "temperature": 0}
                    ids = [ok(server.ask("POST", "/api/threads", {"id": new(), "parameters": parameters}), 201)["id"]
                           for _ in range(3)]
                    writers = [Writer(i) for i in ids]
                writers = [writer.again() for writer in writers]
                for writer in writers:
                    writer.server = server
                    writer.start()
                time.sleep(random.uniform(0.05, 0.5))
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                for writer in writers:
                    writer.join()
                check(tmp_path / "home", writers)
                checked = True
        assert checked, f"round {number}"
    with serve(tmp_path) as server:
        for writer in writers:
            writer = writer.again()
            if writer.pending:
                assert server.ask("POST", f"/api/threads/{writer.thread}/messages", writer.pending).http in (200, 201)
            full = ok(server.ask("GET", f"/api/threads/{writer.thread}"))
            questions = [m for m in full["messages"] if m["role"] == "user"]
            assert len({m["id"] for m in questions}) == len(questions) >= len(writer.acknowledged) > ROUNDS
            assert ok(server.ask("POST", f"/api/threads/{writer.thread}/stop")) == {}
            running = [m for m in full["messages"] if m["finish"] is None]
            assert len(running) <= 1, "an answer of a dead program seems to be written"
