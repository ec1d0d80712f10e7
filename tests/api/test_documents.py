"""Documents over HTTP, with the real program and a real embedding model: files come in, are read, found, shown and removed;
jobs go on, pause and fail in words; what other people wrote can't run in Den's page."""
import hashlib
import http.client
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import PROGRAM, serve

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"


class Library:
    """Short ways to ask a running server."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, http=200):
        answer = self.server.ask(method, path, body)
        assert answer.http in (http if isinstance(http, tuple) else (http,)), (answer.http, answer.body)
        return answer.json()

    def add(self, name, data, http=(200, 202), **query):
        query = urllib.parse.urlencode({"name": name, **query})
        answer = self.server.ask("POST", f"/api/documents?{query}", data if isinstance(data, bytes) else data.encode())
        assert answer.http in (http if isinstance(http, tuple) else (http,)), (answer.http, answer.body)
        return answer.json()

    def settle(self, job):
        """Waits until the job has ended."""
        while (state := self.ask("GET", f"/api/jobs/{job['id']}"))["ended"] is None:
            time.sleep(0.05)
        return state

    def read(self, name, data, **query):
        added = self.add(name, data, **query)
        if added["job"]:
            self.settle(added["job"])
        return self.ask("GET", f"/api/documents/{added['document']['id']}")

    def workspace(self, name):
        return self.ask("POST", "/api/workspaces", {"name": name}, 201)["id"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("den")) as server:
        library = Library(server)
        library.home = pathlib.Path(server.ask("GET", "/api/server").json().get("home", ""))
        yield library


LEASE = "# The lease\n\nThe flat is let from the first of May.\n\n## Payment\n\nThe rent of 740 euros is due on the third day.\n"


def test_a_document_goes_all_the_way(library):
    workspace = library.workspace("House")
    added = library.add("papers/../lease.md", LEASE, 202, workspace=workspace, tags="home,rent")
    assert added["document"]["state"] == "waiting" and added["job"]["total"] >= 1
    assert library.settle(added["job"])["state"] == "done"
    document = library.ask("GET", f"/api/documents/{added['document']['id']}")
    assert document["state"] == "ready" and document["error"] is None
    assert document["name"] == "papers/lease.md" and document["format"] == "markdown"
    assert document["tags"] == ["home", "rent"] and document["workspaces"] == [workspace]
    assert document["bytes"] == len(LEASE) and document["items"] >= 1 and document["tokens"] > 10
    assert [p["ordinal"] for p in document["part_list"]] == list(range(document["parts"]))
    part = library.ask("GET", f"/api/documents/{document['id']}/parts/0")
    assert "740 euros" in part["text"] and part["blocks"]
    found = library.ask("POST", "/api/search", {"query": "How much do I pay for the flat?", "workspace": workspace})
    assert found["hits"][0]["document"] == document["id"] and found["hits"][0]["cosine"] is not None


def test_the_same_bytes_are_one_document(library):
    first = library.read("one.txt", "The very same bytes.")
    again = library.add("one.txt", "The very same bytes.", 200)
    workspace = library.workspace("Second")
    linked = library.add("elsewhere.txt", "The very same bytes.", 200, workspace=workspace)
    assert again["document"]["id"] == linked["document"]["id"] == first["id"]
    assert again["job"] is None and linked["job"] is None
    assert linked["document"]["workspaces"] == [workspace]


def test_the_original_comes_back_and_can_not_run(library):
    data = b"<html><script>alert(1)</script>The lift is out of order.</html>"
    document = library.read("Hausordnung \u4e2d\u6587 \"x\".html", data)
    answer = library.server.ask("GET", f"/api/documents/{document['id']}/original")
    assert answer.http == 200 and answer.body == data
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"")
    assert "filename*=UTF-8''Hausordnung%20%E4%B8%AD%E6%96%87%20%22x%22.html" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "alert" not in library.ask("GET", f"/api/documents/{document['id']}/parts/0")["text"]


def test_a_page_is_a_picture(library):
    pdfs = sorted(FIXTURES.glob("**/*.pdf"))
    if not pdfs:
        pytest.skip("no PDF among the fixtures")
    text = next((p for p in pdfs if "text" in p.name or "columns" in p.name), pdfs[0])
    document = library.read(text.name, text.read_bytes())
    assert document["state"] == "ready", document["error"]
    path = f"/api/documents/{document['id']}/pages/1?width=300"
    answer = library.server.ask("GET", path)
    assert answer.http == 200 and answer.body.startswith(b"\x89PNG") and answer.headers["content-type"] == "image/png"
    assert int.from_bytes(answer.body[16:20], "big") <= 300
    again = library.server.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.http == 304 and again.body == b""
    assert library.server.ask("GET", f"/api/documents/{document['id']}/pages/99999").http in (400, 404, 422)


@pytest.mark.parametrize("path, http", [
    ("/api/documents/none", 404), ("/api/documents/none/original", 404), ("/api/documents/none/parts/0", 404),
    ("/api/documents/none/parts/x", 400), ("/api/documents/none/pages/0", 400), ("/api/documents/none/pages/1?width=9", 400),
    ("/api/documents?limit=0", 400), ("/api/documents?before=x", 400), ("/api/jobs/none", 404)])
def test_what_is_not_there_is_said(library, path, http):
    answer = library.server.ask("GET", path)
    assert answer.http == http and answer.error()["message"]


def test_uploads_are_checked_before_they_are_kept(library):
    assert "name" in library.server.ask("POST", "/api/documents", b"x").error()["message"]
    answer = library.server.ask("POST", "/api/documents?name=a.txt&workspace=none", b"x" * 100000)
    assert answer.http == 404 and answer.error()["param"] == "workspace"
    answer = library.server.ask("POST", "/api/documents?name=a.txt&tags=" + "x" * 300, b"x")
    assert answer.http == 400
    answer = library.server.ask("POST", "/api/documents?name=a.txt", b"", {"Content-Length": str(3 << 30)})
    assert answer.http == 413


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) << 10


def test_a_large_upload_takes_no_memory(library):
    """192 MiB of bytes that no reader takes: they reach the disk, whole, and the front does not grow by them."""
    pid = library.server.process.pid
    before, most, total = resident(pid), 0, 192 << 20
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", library.server.port)
    connection.putrequest("POST", "/api/documents?name=large.bin")
    connection.putheader("Content-Length", str(total))
    connection.endheaders()
    for number in range(total >> 20):
        piece = bytes([number & 0xff, 0, 255]) * ((1 << 20) // 3) + b"x"
        piece = piece[:1 << 20].ljust(1 << 20, b"y")
        digest.update(piece)
        connection.send(piece)
        most = max(most, resident(pid))
    answer = connection.getresponse()
    added = json.loads(answer.read())
    assert answer.status == 202, added
    assert most - before < 64 << 20
    job = library.settle(added["job"])
    assert job["state"] == "failed" and job["tasks"][0]["error"]["message"]
    home = pathlib.Path(f"/proc/{pid}/environ").read_text().split("DEN_HOME=")[1].split("\0")[0]
    name = digest.hexdigest()
    stored = pathlib.Path(home) / "originals" / name[:2] / name
    assert stored.stat().st_size == total
    library.ask("DELETE", f"/api/documents/{added['document']['id']}")
    assert not stored.exists()


def test_an_upload_that_breaks_off_leaves_nothing(library):
    before = library.ask("GET", "/api/documents?limit=200")["documents"]
    connection = library.server.begin("POST", "/api/documents?name=half.txt", b"only half", {"Content-Length": "1000"})
    connection.close()
    time.sleep(0.3)
    assert library.ask("GET", "/api/documents?limit=200")["documents"] == before


def test_one_document_is_tried_again_alone(library, tmp_path):
    for name in ("one.docx", "two.docx"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 no archive: " + name.encode())
    job = library.settle(library.ask("POST", "/api/documents/paths", {"paths": [str(tmp_path)]}, 202)["job"])
    assert (job["state"], job["failed"]) == ("failed", 2)
    (tmp_path / "one.docx").write_text("It is plain text, now.")
    task = next(task for task in job["tasks"] if task["name"].endswith("one.docx"))
    again = library.ask("POST", f"/api/documents/{task['document']}/read", {}, 202)
    assert again["job"]["id"] == job["id"] and again["document"]["state"] == "waiting"
    job = library.settle(again["job"])
    assert (job["done"], job["failed"]) == (1, 1)
    document = library.ask("GET", f"/api/documents/{task['document']}")
    assert document["state"] == "ready" and document["format"] == "text"
    again = library.ask("POST", f"/api/documents/{document['id']}/read", {}, 202)
    assert library.settle(again["job"])["state"] == "done"
    assert library.ask("POST", "/api/documents/read", {}, 202) == {"job": None}
    assert library.server.ask("POST", "/api/documents/none/read", {}).http == 404
    assert library.server.ask("POST", "/api/documents/read", {"documents": []}).http == 400


def test_what_fails_is_told_and_the_rest_goes_on(library, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "good.txt").write_text("A good file about beekeeping.")
    (tmp_path / "bad.docx").write_bytes(b"PK\x03\x04 but no archive")
    (tmp_path / "sub/also good.md").write_text("# Bees\n\nA second one.")
    (tmp_path / ".hidden").write_text("hidden")
    (tmp_path / "sub/link").symlink_to("/etc/passwd")
    workspace = library.workspace("Bees")
    job = library.ask("POST", "/api/documents/paths", {"paths": [str(tmp_path)], "workspace": workspace}, 202)["job"]
    job = library.settle(job)
    assert (job["state"], job["total"], job["done"], job["failed"]) == ("done", 3, 2, 1)
    assert job["tasks"][0]["name"].endswith("/bad.docx") and len(job["tasks"][0]["error"]["message"]) > 10
    listed = library.ask("GET", f"/api/documents?workspace={workspace}")["documents"]
    assert sorted(d["state"] for d in listed) == ["failed", "ready", "ready"]
    (tmp_path / "bad.docx").write_text("It is a plain text now, after all.")
    again = library.settle(library.ask("POST", f"/api/jobs/{job['id']}/retry"))
    assert (again["state"], again["done"], again["failed"]) == ("done", 3, 0)
    assert [d["state"] for d in library.ask("GET", f"/api/documents?workspace={workspace}")["documents"]] == ["ready"] * 3


def test_a_job_is_paused_gone_on_with_and_cancelled(library, tmp_path):
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(f"Paper number {number} is about the number {number * number}.")
    job = library.ask("POST", "/api/documents/paths", {"paths": [str(tmp_path)]}, 202)["job"]
    path = f"/api/jobs/{job['id']}"
    assert library.ask("PATCH", path, {"state": "paused"})["state"] == "paused"
    time.sleep(0.5)
    first = library.ask("GET", path)
    time.sleep(0.5)
    second = library.ask("GET", path)
    assert second["state"] == "paused" and first["done"] == second["done"] < 60
    library.ask("PATCH", path, {"state": "running"})
    library.ask("DELETE", path)
    ended = library.settle(job)
    assert ended["state"] == "cancelled"
    library.ask("DELETE", path)
    library.ask("GET", path, http=404)
    assert "'state'" in library.server.ask("PATCH", path, {"state": "done"}).error()["message"]


def test_a_document_is_changed_and_removed(library):
    document = library.read("note.txt", "Marmots sleep through the winter in the Alps.")
    path = f"/api/documents/{document['id']}"
    changed = library.ask("PATCH", path, {"title": "Marmots", "tags": ["alps"]})
    assert changed["title"] == "Marmots" and changed["tags"] == ["alps"]
    assert library.ask("POST", "/api/search", {"query": "marmots"})["hits"][0]["document"] == document["id"]
    library.ask("DELETE", path)
    library.ask("DELETE", path, http=404)
    hits = library.ask("POST", "/api/search", {"query": "marmots in winter"})["hits"]
    assert all(h["document"] != document["id"] for h in hits)


def test_those_who_look_on_hear_of_it(library):
    connection = library.server.begin("GET", "/api/events")
    seen, wanted = b"", (b"event: document\n", b"event: job\n", b'"state":"ready"', b'"state":"done"')

    def read():
        nonlocal seen
        while not all(w in seen for w in wanted):
            piece = connection.recv(65536)
            if not piece:
                return
            seen += piece
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    library.read("heard.txt", "Something that others hear of.")
    reader.join(60)
    connection.close()
    assert all(w in seen for w in wanted), seen[-2000:]


def test_a_watched_folder_stays_as_it_is(library, tmp_path):
    workspace = library.workspace("Watched")
    (tmp_path / "first.txt").write_text("Wolves were seen near the village.")
    watched = library.ask("POST", "/api/watched", {"path": str(tmp_path), "workspace": workspace}, 201)

    def until(condition):
        while not condition(documents := library.ask("GET", f"/api/documents?workspace={workspace}")["documents"]):
            time.sleep(0.1)
        return documents
    until(lambda d: [x["state"] for x in d] == ["ready"])
    (tmp_path / "second.txt").write_text("Foxes were seen as well.")
    until(lambda d: [x["state"] for x in d] == ["ready", "ready"])
    (tmp_path / "first.txt").unlink()
    left = until(lambda d: len(d) == 1)
    assert left[0]["name"].endswith("/second.txt")
    library.ask("DELETE", f"/api/watched/{watched['id']}")
    assert len(library.ask("GET", f"/api/documents?workspace={workspace}")["documents"]) == 1


def test_den_add_works_beside_the_server(library, tmp_path):
    (tmp_path / "badger.txt").write_text("Badgers dig their setts in sandy slopes.")
    environment = dict(entry.split("=", 1) for entry in
                       pathlib.Path(f"/proc/{library.server.process.pid}/environ").read_text().split("\0") if "=" in entry)
    done = subprocess.run([PROGRAM, "add", str(tmp_path), "--workspace", "Animals", "--tag", "wild", "--json"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["done"] == 1
    names = [w["name"] for w in library.ask("GET", "/api/workspaces")["workspaces"]]
    assert "Animals" in names
    hit = library.ask("POST", "/api/search", {"query": "Where do badgers live?"})["hits"][0]
    assert hit["name"].endswith("/badger.txt")


def test_den_add_names_each_with_its_reason(tmp_path):
    folder = tmp_path / "things"
    folder.mkdir()
    for name, data in {"a.txt": b"A text about badgers.", "same.txt": b"A text about badgers.", "empty.txt": b"",
                       "half.pdf": b"%PDF-1.4\nhalf", "half.docx": b"PK\x03\x04 half", "what.xyz": bytes(range(256))}.items():
        (folder / name).write_bytes(data)
    environment = {**os.environ, "DEN_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run([PROGRAM, "add", str(folder)], capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    assert done.returncode == 6 and "3 of them could not be added" in done.stderr
    assert lines[0] == "1 added, 1 there already, 1 of no known format, 3 failed"
    assert re.fullmatch(r"  things/(a|same).txt: is there already, as things/(a|same).txt", lines[1])
    assert lines[2].startswith("  things/what.xyz: of a format that is not known; PDF, Word")
    failed = {line.split(":")[0].strip(): line for line in lines[3:]}
    assert "is empty" in failed["things/empty.txt"] and "save it again" in failed["things/empty.txt"]
    assert "zip file" in failed["things/half.docx"] and "save it again" in failed["things/half.docx"]
    assert failed["things/half.pdf"].count("trailer") == 1 and "export it again" in failed["things/half.pdf"]


def test_what_waits_goes_on_after_a_restart(tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.txt").write_text(f"Paper number {number}: " + "words and " * number)
    with serve(tmp_path) as server:
        library = Library(server)
        job = library.ask("POST", "/api/documents/paths", {"paths": [str(folder)]}, 202)["job"]
        time.sleep(0.3)
    with serve(tmp_path) as server:
        library = Library(server)
        ended = library.settle(job)
        assert (ended["state"], ended["done"], ended["failed"]) == ("done", 40, 0)
        assert len(library.ask("GET", "/api/documents?limit=200")["documents"]) == 40
    database = sqlite3.connect(tmp_path / "home/den.db")
    assert database.execute("SELECT count(*) FROM parts").fetchone() == (40,)
    assert database.execute("SELECT count(*) = count(DISTINCT item) FROM vectors").fetchone() == (1,)
