"""Workspaces and everything as files, with the real program: out, in again elsewhere, back while it runs, and killed in the
middle; what is damaged changes nothing."""
import fcntl
import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
import zipfile

import pytest

from conftest import PROGRAM, default_home, serve
from test_documents import Library

ROUNDS = int(os.environ.get("DEN_DURABILITY_ROUNDS", "8"))


def den(home, *arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(home)})
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr


def check(home):
    """The database and the folder beside each other, while nothing runs."""
    database = sqlite3.connect(home / "den.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    for (key,) in database.execute("SELECT hash FROM originals").fetchall():
        assert hashlib.sha256((home / "originals" / key[:2] / key).read_bytes()).hexdigest() == key
    names = sorted(name for (name,) in database.execute("SELECT name FROM documents").fetchall())
    workspaces = sorted(name for (name,) in database.execute("SELECT name FROM workspaces").fetchall())
    database.close()
    return names, workspaces


def leftovers(home):
    wanted = set(sqlite3.connect(home / "den.db").execute("SELECT count(*) FROM originals").fetchone())
    files = [path for path in (home / "originals").glob("??/*")]
    return len(files) - wanted.pop(), list(home.glob("scratch-*")), list((home / "originals").glob("incoming-*"))


def fill(library, count=3, workspace="House"):
    """A workspace with documents and an answered question; its id."""
    made = library.workspace(workspace)
    for number in range(count):
        library.read(f"papers/{number}.txt", f"Paper {number} of {workspace}: the rent of flat {number} is due in May.",
                     workspace=made)
    thread = library.ask("POST", "/api/threads", {"title": "Rent", "workspace": made}, 201)["id"]
    library.ask("POST", f"/api/threads/{thread}/messages", {"content": "When is the rent due?", "answer": False}, 201)
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("one")) as one, serve(tmp_path_factory.mktemp("two")) as two:
        yield Library(one), Library(two)


def test_a_workspace_moves_to_another_den(both):
    one, two = both
    made = fill(one)
    answer = one.server.ask("GET", f"/api/workspaces/{made}/export")
    assert answer.http == 200 and 'filename="House.den-workspace"' in answer.headers["content-disposition"]
    packed = zipfile.ZipFile(io.BytesIO(answer.body))
    assert packed.testzip() is None
    manifest = json.loads(packed.read("manifest.json"))
    assert manifest["documents"] == 3 and manifest["vectors"] == manifest["passages"] == 3
    came = two.server.ask("POST", "/api/workspaces/import", answer.body)
    assert came.http == 201, came.body
    came = came.json()
    assert (came["documents"], came["threads"], came["linked"], came["waiting"]) == (3, 1, 0, 0)
    workspace = came["workspace"]["id"]
    listed = two.ask("GET", f"/api/workspaces/{workspace}/documents")["documents"]
    assert {d["state"] for d in listed} == {"ready"} and len(listed) == 3
    found = two.ask("POST", "/api/search", {"query": "rent of flat 2", "workspace": workspace})
    assert found["hits"][0]["name"] == "papers/2.txt" and found["hits"][0]["vector_rank"] > 0
    original = two.server.ask("GET", f"/api/documents/{found['hits'][0]['document']}/original")
    assert b"flat 2" in original.body
    thread = two.ask("GET", f"/api/threads?workspace={workspace}")["threads"][0]
    assert thread["title"] == "Rent"
    # and once more, beside the first
    again = two.server.ask("POST", "/api/workspaces/import", answer.body).json()
    assert again["workspace"]["name"] == "House (2)" and again["linked"] == 3


def test_what_is_no_export_is_refused(both):
    one, two = both
    for body in (b"", b"no zip", b"PK\3\4" + bytes(100)):
        answer = two.server.ask("POST", "/api/workspaces/import", body)
        assert answer.http == 422 and "exports" in answer.error()["message"], answer.body
        answer = two.server.ask("POST", "/api/restore", body)
        assert answer.http == 422, answer.body
    assert two.server.ask("GET", "/api/workspaces/nowhere/export").http == 404
    backup = one.server.ask("GET", "/api/backup").body
    assert "den restore" in two.server.ask("POST", "/api/workspaces/import", backup).error()["message"]


def test_everything_comes_back_while_it_runs(tmp_path):
    with serve(tmp_path) as server:
        library = Library(server)
        fill(library)
        backup = server.ask("GET", "/api/backup")
        assert backup.http == 200 and ".den-backup" in backup.headers["content-disposition"]
        names = zipfile.ZipFile(io.BytesIO(backup.body)).namelist()
        assert "den.db" in names and sum(name.startswith("originals/") for name in names) == 3
        assert not any("token" in name for name in names)
        fill(library, 2, "Later")
        listener = server.begin("GET", "/api/events")
        while b"\r\n\r\n" not in listener.recv(4096):
            pass
        restored = server.ask("POST", "/api/restore", backup.body)
        assert restored.http == 200 and restored.json() == {"documents": 3, "threads": 1}, restored.body
        while listener.recv(4096): # pages are cut off, and read everything again
            pass
        assert [w["name"] for w in library.ask("GET", "/api/workspaces")["workspaces"]] == ["House"]
        found = library.ask("POST", "/api/search", {"query": "Paper 1 of Later"})
        assert all("Later" not in hit["text"] for hit in found["hits"]) and found["hits"][0]["vector_rank"] > 0
        library.read("after.txt", "Work goes on after a restore.") # the next document is read and embedded
        found = library.ask("POST", "/api/search", {"query": "does work go on?"})
        assert found["hits"][0]["name"] == "after.txt"
    names, workspaces = check(tmp_path / "home")
    assert len(names) == 4 and workspaces == ["House"]
    assert leftovers(tmp_path / "home") == (0, [], [])
    assert json.loads(den(tmp_path / "home", "doctor", "--check", "--json"))["wrong"] == []


def test_an_answer_under_way_ends_before_a_restore(tmp_path):
    with serve(tmp_path) as server:
        library = Library(server)
        thread = library.ask("POST", "/api/threads", {"title": "Long"}, 201)["id"]
        backup = server.ask("GET", "/api/backup").body
        library.ask("POST", f"/api/threads/{thread}/messages", {"content": "Count to a thousand in words."}, 201)
        restored = server.ask("POST", "/api/restore", backup)
        assert restored.http == 200, restored.body
        assert library.ask("GET", f"/api/threads/{thread}")["messages"] == []
        asked = library.ask("POST", f"/api/threads/{thread}/messages",
                            {"content": "Hello", "answer": False}, 201)
        assert asked["message"]["content"] == "Hello"


def test_files_of_the_command_line(tmp_path):
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir(), other.mkdir()
    if (default_home() / "models").exists():
        (home / "models").symlink_to(default_home() / "models") # serve() starts here too
    (tmp_path / "papers").mkdir()
    for number in range(3):
        (tmp_path / "papers" / f"{number}.txt").write_text(f"Paper {number}.")
    den(home, "add", tmp_path / "papers", "--workspace", "House")
    den(home, "export", "--workspace", "house", tmp_path / "house.zip")
    assert "workspace 'House' with 3 documents" in den(other, "import", tmp_path / "house.zip")
    den(home, "backup", tmp_path / "all")
    assert (tmp_path / "all").stat().st_mode & 0o77 == 0
    assert "replaces no file" in den(home, "backup", tmp_path / "all", code=11)
    assert "whole" in den(other, "restore", "--check", tmp_path / "all")
    assert check(other)[1] == ["House"]
    den(other, "restore", tmp_path / "all")
    assert check(other) == check(home)
    with serve(tmp_path) as server: # two writers are one too many
        refused = den(home, "restore", tmp_path / "all", code=11)
        assert f"another Den uses {home}: den serve at {server.url} (process {server.process.pid}). Stop it first" in refused
        assert f"{server.url}/api/restore" in refused
        den(home, "backup", tmp_path / "beside")
        assert den(home, "restore", "--check", tmp_path / "beside")
        assert server.ask("GET", "/api/workspaces").http == 200
        assert (home / "den.serving.json").exists()
    assert not (home / "den.serving.json").exists()
    with open(home / "den.db.working", "w") as held: # another reads documents
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "it reads documents" in den(home, "restore", tmp_path / "all", code=11)
    # the note of one that is gone is not believed
    (home / "den.serving.json").write_text('{"process": 4194305, "address": "http://127.0.0.1:1"}')
    with open(home / "den.db.serving", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = den(home, "restore", tmp_path / "all", code=11)
        assert "stop it first" in refused and "127.0.0.1" not in refused
    # a damaged database is when a backup is needed
    (home / "den.db").write_bytes(b"SQLite format 3\0" + random.randbytes(5000))
    assert "kept as" in den(home, "restore", tmp_path / "all")
    assert check(home) == check(other)


def kill_in_the_middle(command, home, longest):
    """Starts a verb and kills it after a random part of the time that it takes."""
    process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "DEN_HOME": str(home)})
    time.sleep(random.uniform(0, longest))
    process.send_signal(signal.SIGKILL)
    process.wait()


def measured(home, *command):
    began = time.monotonic()
    den(home, *command)
    return time.monotonic() - began


def make_home(tmp_path, name, count):
    home, papers = tmp_path / name, tmp_path / f"{name}-papers"
    home.mkdir(), papers.mkdir()
    for number in range(count):
        (papers / f"{number}.txt").write_text(f"Paper {number} of {name}. " + "Some more words. " * 40)
    den(home, "add", papers, "--workspace", name)
    return home


def test_killed_backups_are_whole_or_not_there(tmp_path):
    random.seed(5)
    home = make_home(tmp_path, "old", 40)
    longest = measured(home, "backup", tmp_path / "whole")
    for number in range(ROUNDS):
        file = tmp_path / f"killed-{number}"
        kill_in_the_middle(["backup", file], home, longest)
        if file.exists():
            den(home, "restore", "--check", file)
    assert len(check(home)[0]) == 40
    den(home, "doctor", "--check")
    assert leftovers(home) == (0, [], [])


def test_killed_restores_leave_the_old_or_the_new(tmp_path):
    random.seed(6)
    old, new = make_home(tmp_path, "old", 30), make_home(tmp_path, "new", 30)
    den(old, "backup", tmp_path / "was-old")
    den(new, "backup", tmp_path / "was-new")
    states, files = {"old": check(old), "new": check(new)}, {"old": tmp_path / "was-old", "new": tmp_path / "was-new"}
    longest, now = measured(old, "restore", tmp_path / "was-old"), "old"
    for _ in range(ROUNDS):
        other = "new" if now == "old" else "old"
        kill_in_the_middle(["restore", files[other]], old, longest)
        den(old, "doctor", "--check")
        state = check(old)
        assert state in states.values()
        now = "old" if state == states["old"] else "new"
        assert leftovers(old) == (0, [], [])
    den(old, "restore", files["new"])
    assert check(old) == states["new"] and leftovers(old) == (0, [], [])


def test_killed_imports_are_whole_or_not_there(tmp_path):
    random.seed(7)
    home, empty = make_home(tmp_path, "House", 30), tmp_path / "empty"
    empty.mkdir()
    den(home, "export", "--workspace", "House", tmp_path / "house.zip")
    longest = measured(empty, "import", tmp_path / "house.zip")
    for number in range(ROUNDS):
        there = tmp_path / f"there-{number}"
        there.mkdir()
        den(there, "doctor", "--check")
        kill_in_the_middle(["import", tmp_path / "house.zip"], there, longest)
        den(there, "doctor", "--check")
        names, workspaces = check(there)
        assert (len(names), workspaces) in ((0, []), (30, ["House"]))
        assert leftovers(there) == (0, [], [])
