"""A disk that is full or fails (libfiu): Den says so in a sentence, keeps all that it acknowledged, and goes on when the
disk does. Faults are made in the C library's calls of the real program, while it runs."""
import errno
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import pytest

import conftest
from conftest import PROGRAM, serve
from test_documents import Library
from test_portability import check, den, fill, leftovers, make_home
from test_pull import NAME, SMALL, environment, hub, whole  # noqa: F401 (hub is a fixture)

FULL, BROKEN = errno.ENOSPC, errno.EIO
WRITES = ["posix/io/rw/write", "posix/io/rw/pwrite", "posix/stdio/rw/fwrite"]
FLUSHES = ["posix/io/sync/fsync", "posix/io/sync/fdatasync"]
ROUNDS = int(os.environ.get("DEN_DURABILITY_ROUNDS", "6"))


def why_not():
    """A reason to leave these tests out; None: there is none. CI has libfiu (scripts/debian-packages-test.txt)."""
    if not shutil.which("fiu-run") or not shutil.which("fiu-ctrl"):
        return "NOT TESTED: what Den does on a full disk. Install fiu-utils (./test does)"
    tried = subprocess.run(["fiu-run", "-x", "-f", "", PROGRAM, "help"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"NOT TESTED: faults can't be made in this build: {tried.stderr[:200]}"


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


class Disk:
    """The faults of one running program."""

    def __init__(self, control, process):
        self.control, self.process, self.points = control, process, []

    def command(self, text):
        subprocess.run(["fiu-ctrl", "-f", str(self.control), "-c", text, str(self.process.pid)], check=True,
                       capture_output=True)

    def fails(self, points, number, probability=1):
        for point in points:
            kind = "enable" if probability == 1 else "enable_random"
            self.command(f"{kind} name={point},failinfo={number}"
                         + (f",probability={probability}" if probability < 1 else ""))
        self.points += points

    def works(self):
        for point in self.points:
            self.command(f"disable name={point}")
        self.points = []


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """A server whose disk can be made to fail."""
    control, wrapper = tmp_path / "control", tmp_path / "den-with-faults"
    wrapper.write_text(f'#!/bin/sh\nexec fiu-run -x -f "{control}" "{PROGRAM}" "$@"\n')
    wrapper.chmod(0o700)
    monkeypatch.setattr(conftest, "PROGRAM", str(wrapper))
    with serve(tmp_path) as server:
        library = Library(server)
        library.home = tmp_path / "home"
        library.disk = Disk(control, server.process)
        yield library
        library.disk.works()
    assert json.loads(den(tmp_path / "home", "doctor", "--check", "--json"))["wrong"] == []
    assert leftovers(tmp_path / "home") == (0, [], []) # what could not be removed then, the next start has removed


def expect_refusal(answer, number):
    """A server's error with a sentence that says what the matter is."""
    assert answer.http == 500, (answer.http, answer.body)
    said = answer.error()["message"].lower()
    assert ("full" in said or "no space" in said or "disk" in said) if number == FULL else \
        ("error" in said or "can't" in said or "full" in said), said


def faults():
    return [pytest.param(points, number, id=f"{name}-{errno.errorcode[number]}")
            for name, points in (("write", WRITES), ("flush", FLUSHES)) for number in (FULL, BROKEN)]


@pytest.mark.parametrize(("points", "number"), faults())
def test_nothing_acknowledged_is_lost(faulty, points, number):
    made = fill(faulty, 2)
    before = faulty.ask("GET", f"/api/workspaces/{made}/documents")["documents"]
    thread = faulty.ask("GET", f"/api/threads?workspace={made}")["threads"][0]["id"]
    messages = faulty.ask("GET", f"/api/threads/{thread}")["messages"]
    server = faulty.server
    faulty.disk.fails(points, number)
    expect_refusal(server.ask("POST", "/api/threads", {"title": "not kept"}), number)
    expect_refusal(server.ask("POST", f"/api/threads/{thread}/messages", {"content": "not kept", "answer": False}), number)
    expect_refusal(server.ask("POST", f"/api/documents?name=no.txt&workspace={made}", b"It is not kept."), number)
    expect_refusal(server.ask("DELETE", f"/api/documents/{before[0]['id']}"), number)
    assert server.ask("GET", "/api/threads").http == 200 # what is there can be read
    assert faulty.ask("GET", f"/api/workspaces/{made}/documents")["documents"] == before
    faulty.disk.works()
    assert faulty.ask("GET", f"/api/threads/{thread}")["messages"] == messages
    titles = [t["title"] for t in faulty.ask("GET", "/api/threads")["threads"]]
    assert "not kept" not in titles
    read = faulty.read("yes.txt", "Now there is room for this.", workspace=made)
    assert read["state"] == "ready"


@pytest.mark.parametrize(("points", "number"), faults())
def test_files_are_made_whole_or_refused(faulty, points, number):
    made, server = fill(faulty, 2), faulty.server
    file = server.ask("GET", f"/api/workspaces/{made}/export").body
    everything = server.ask("GET", "/api/backup").body
    faulty.disk.fails(points, number)
    expect_refusal(server.ask("GET", f"/api/workspaces/{made}/export"), number)
    expect_refusal(server.ask("GET", "/api/backup"), number)
    expect_refusal(server.ask("POST", "/api/workspaces/import", file), number)
    expect_refusal(server.ask("POST", "/api/restore", everything), number)
    faulty.disk.works()
    assert [w["name"] for w in faulty.ask("GET", "/api/workspaces")["workspaces"]] == ["House"]
    assert server.ask("POST", "/api/workspaces/import", file).http == 201
    restored = server.ask("POST", "/api/restore", everything)
    assert restored.http == 200, restored.body
    assert [w["name"] for w in faulty.ask("GET", "/api/workspaces")["workspaces"]] == ["House"]


def test_now_and_then_a_write_fails(faulty):
    """What was answered with success is there, whatever failed before and after it. Only calls that files alone have: write()
    would fail on the pipes to the processes that read documents as well, which no disk does."""
    random.seed(3)
    points = ["posix/io/rw/pwrite", *FLUSHES]
    server, there = faulty.server, {}
    for number in (FULL, BROKEN):
        faulty.disk.fails(points, number, 0.05)
        for index in range(60):
            text = f"Text {index} with {number}. " + "More words. " * random.randrange(20)
            answer = server.ask("POST", f"/api/documents?name={number}-{index}.txt", text.encode())
            assert answer.http in (202, 500), answer.body
            if answer.http == 202:
                there[hashlib.sha256(text.encode()).hexdigest()] = answer.json()["document"]["id"]
            else:
                assert answer.error()["message"]
        faulty.disk.works()
    assert there
    while any(j["ended"] is None for j in faulty.ask("GET", "/api/jobs")["jobs"]):
        time.sleep(0.1)
    for job in faulty.ask("GET", "/api/jobs")["jobs"]:
        if job["failed"]:
            faulty.settle(faulty.ask("POST", f"/api/jobs/{job['id']}/retry"))
    with sqlite3.connect(f"file:{faulty.home}/den.db?mode=ro", uri=True) as database:
        found = dict(database.execute("SELECT original, id FROM documents").fetchall())
    for key, name in there.items():
        assert found.get(key) == name
        assert faulty.ask("GET", f"/api/documents/{name}")["state"] == "ready"


def run_with_faults(home, command, points, number, probability):
    """A verb whose writes fail now and then; its exit status and words."""
    switches = [part for point in points for part in
                ("-c", f"enable_random name={point},probability={probability},failinfo={number}")]
    done = subprocess.run(["fiu-run", "-x", "-f", "", *switches, PROGRAM, *map(str, command)], capture_output=True, text=True,
                          env={**os.environ, "DEN_HOME": str(home)})
    assert done.returncode >= 0, "it died"
    if done.returncode != 0:
        assert done.stderr.startswith("den: ") and len(done.stderr) > 20, done.stderr
    return done.returncode


@pytest.mark.parametrize("number", [FULL, BROKEN])
def test_verbs_end_with_all_or_nothing(tmp_path, number):
    old, new = make_home(tmp_path, "old", 6), make_home(tmp_path, "new", 6)
    states = [check(old), check(new)]
    den(new, "backup", tmp_path / "was-new")
    den(new, "export", "--workspace", "new", tmp_path / "new.zip")
    den(old, "backup", tmp_path / "was-old")
    ended = {"backup": 0, "import": 0, "restore": 0}
    for index in range(ROUNDS):
        probability = (0.3, 0.03, 0.01)[index % 3]
        file = tmp_path / f"made-{index}"
        if run_with_faults(old, ["backup", file], WRITES + FLUSHES, number, probability) == 0:
            den(new, "restore", "--check", file)
            ended["backup"] += 1
        else:
            assert not file.exists()
        empty = tmp_path / f"empty-{index}"
        empty.mkdir()
        den(empty, "doctor", "--check")
        ended["import"] += run_with_faults(empty, ["import", tmp_path / "new.zip"], WRITES + FLUSHES, number,
                                           probability) == 0
        den(empty, "doctor", "--check")
        assert len(check(empty)[0]) in (0, 6)
        ended["restore"] += run_with_faults(old, ["restore", tmp_path / "was-new"], WRITES + FLUSHES, number,
                                            probability) == 0
        den(old, "doctor", "--check")
        assert check(old) in states and leftovers(old) == (0, [], [])
        den(old, "restore", tmp_path / "was-old")
        assert check(old) == states[0]
    assert not list(tmp_path.glob("*.part*")) or number == FULL


@pytest.mark.parametrize("number", [FULL, BROKEN])
def test_a_download_says_it_and_goes_on(hub, tmp_path, number):  # noqa: F811
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    env = environment(home, hub)
    done = subprocess.run(["fiu-run", "-x", "-f", "", "-c", f"enable name=posix/io/rw/pwrite,failinfo={number}", "-c",
                           f"enable name=posix/io/rw/write,failinfo={number}", PROGRAM, "pull", "hf:owner/model-GGUF"],
                          env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode > 0 and not (home / "models" / NAME).exists(), done.stderr
    done = subprocess.run([PROGRAM, "pull", "hf:owner/model-GGUF"], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert whole(home, NAME, SMALL)
