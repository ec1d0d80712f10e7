"""The program is killed while it takes, reads, embeds and removes documents: what it acknowledged is there, whole, once; nothing
is left over that nobody wants."""
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import PROGRAM, serve
from test_documents import Library

ROUNDS = int(os.environ.get("DEN_DURABILITY_ROUNDS", "8"))


class Writer(threading.Thread):
    """Uploads one document after the other and removes some again, until the program is gone. `there` holds what was
    acknowledged, `unsure` what was asked for and not answered."""

    def __init__(self, server, number, there, unsure, texts):
        super().__init__()
        self.server, self.number, self.there, self.unsure, self.texts = server, number, there, unsure, texts

    def once(self, method, path, body=None):
        try:
            answer = self.server.ask(method, path, body)
        except OSError:
            return None
        if answer.http not in (200, 202) or not answer.body.endswith(b"}\n"):
            assert answer.http == 0 or not answer.body.endswith(b"}\n"), answer.body
            return None
        return answer.json()

    def run(self):
        while True:
            if self.there and random.random() < 0.2:
                key = random.choice(list(self.there))
                self.unsure[key] = self.there.pop(key)
                if self.once("DELETE", f"/api/documents/{self.unsure[key]}") is None:
                    return
                del self.unsure[key]
            text = f"Writer {self.number}, text {len(self.texts)}. " + "Some words, some more words. " * random.randrange(12)
            self.texts.append(text)
            time.sleep(random.uniform(0, 0.04)) # hundreds of documents are enough
            key = hashlib.sha256(text.encode()).hexdigest()
            self.unsure[key] = None
            query = urllib.parse.urlencode({"name": f"{self.number}/{len(self.texts)}.txt"})
            added = self.once("POST", f"/api/documents?{query}", text.encode())
            if added is None:
                return
            self.there[key] = added["document"]["id"]
            del self.unsure[key]


def check(home, there, unsure):
    """The database and the folder beside each other, while nothing runs."""
    database = sqlite3.connect(home / "den.db")
    one = lambda sql: database.execute(sql).fetchone()[0]
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    documents = dict(database.execute("SELECT original, id FROM documents").fetchall())
    assert one("SELECT count(*) FROM documents") == len(documents), "the same bytes twice"
    for key, name in there.items():
        assert documents.get(key) == name, f"lost {name}"
    assert set(documents) <= set(there) | set(unsure), "a document that nobody sent"
    for (key,) in database.execute("SELECT hash FROM originals").fetchall():
        data = (home / "originals" / key[:2] / key).read_bytes()
        assert hashlib.sha256(data).hexdigest() == key
    assert one("SELECT count(*) FROM documents WHERE original NOT IN (SELECT hash FROM originals)") == 0
    assert one("SELECT count(*) FROM items WHERE document NOT IN (SELECT row FROM documents)") == 0
    assert one("SELECT count(*) FROM items WHERE part NOT IN (SELECT row FROM parts)") == 0
    assert one("SELECT count(*) FROM vectors WHERE item NOT IN (SELECT row FROM items)") == 0
    assert one("SELECT count(*) FROM documents d WHERE state IN ('ready', 'embedding') AND items <> "
               "(SELECT count(*) FROM items i WHERE i.document = d.row)") == 0
    assert one("SELECT count(*) FROM documents d WHERE state = 'ready' AND EXISTS (SELECT 1 FROM items i WHERE "
               "i.document = d.row AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.item = i.row))") == 0
    assert one("SELECT count(*) FROM documents d WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM tasks t WHERE "
               "t.document = d.row AND t.state = 'waiting')") == 0, "a document that nobody will read"
    database.close()


def test_nothing_acknowledged_is_lost_and_nothing_is_left_over(tmp_path):
    random.seed(11)
    there, unsure, texts, home = [{}, {}], [{}, {}], [[], []], tmp_path / "home"
    for number in range(ROUNDS):
        checked = False
        with pytest.raises(AssertionError): # serve() expects an orderly end
            with serve(tmp_path) as server:
                writers = [Writer(server, i, there[i], unsure[i], texts[i]) for i in range(2)]
                for writer in writers:
                    writer.start()
                time.sleep(random.uniform(0.1, 1))
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                for writer in writers:
                    writer.join()
                check(home, {**there[0], **there[1]}, {**unsure[0], **unsure[1]})
                checked = True
        assert checked, f"round {number}"
        for i in range(2): # of what was not answered, either may be: what is there from now on counts
            database = sqlite3.connect(home / "den.db")
            found = dict(database.execute("SELECT original, id FROM documents").fetchall())
            database.close()
            there[i].update({key: found[key] for key in unsure[i] if key in found})
            unsure[i].clear()
    with serve(tmp_path) as server:
        library = Library(server)
        while any(j["ended"] is None for j in library.ask("GET", "/api/jobs")["jobs"]):
            time.sleep(0.2)
        states, before = [], ""
        while before is not None:
            page = library.ask("GET", f"/api/documents?limit=200&before={before}")
            states += [d["state"] for d in page["documents"]]
            before = page["next"]
        assert set(states) == {"ready"} and len(states) == len(there[0]) + len(there[1])
    check(home, {**there[0], **there[1]}, {})
    files = sum(1 for path in (home / "originals").glob("??/*"))
    assert files == len(states)
    assert not list((home / "originals").glob("incoming-*"))
    done = subprocess.run([PROGRAM, "doctor", "--check", "--json"], capture_output=True, text=True,
                          env={**os.environ, "DEN_HOME": str(home)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["wrong"] == []
