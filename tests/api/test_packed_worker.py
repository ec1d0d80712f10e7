"""A served model's weights come from its packed file: made by the first load, mapped by those after it, by several
processes at once, and kept from a process that may not be trusted any more."""
import os
import shutil
import time

import pytest
from conftest import default_home, serve
from workers import kill, workers

STAMP = 1_000_000_000


@pytest.fixture
def scratch(tmp_path):
    source = default_home() / "models" / "smollm2"
    if not source.exists():
        pytest.skip("needs smollm2")
    folder = tmp_path / "home" / "models" / "smollm2"
    folder.mkdir(parents=True)
    for file in source.glob("*.gguf"):
        shutil.copy(file, folder)
    return tmp_path


def packed_file(scratch):
    return next((scratch / "home/models/smollm2").glob(".*.packed"), None)


def state(server):
    found = [one["packed"] for one in server.ask("GET", "/api/activity").json()["workers"] if one["model"] == "smollm2"]
    return found[0] if found else None


def answer(server):
    answered = server.ask("POST", "/v1/chat/completions", server.chat("Name a colour.", max_tokens=8))
    assert answered.http == 200, answered.body
    return answered.json()["choices"][0]["message"]["content"]


def wait_for(condition):
    while not condition():
        time.sleep(0.01)


def unload(server):
    assert server.ask("POST", "/api/models/smollm2/unload", {}).http == 200


def test_a_worker_makes_it_and_the_next_ones_map_it(scratch):
    with serve(scratch) as server:
        wanted = answer(server)
        assert state(server) == "made"
        wait_for(lambda: packed_file(scratch))
        unload(server)
        assert state(server) == "none"
        assert answer(server) == wanted and state(server) == "mapped"
        assert kill(server) == 1  # a death is a load like any other
        assert answer(server) == wanted and state(server) == "mapped"
        maps = open(f"/proc/{workers(server)[0]}/maps").read()
        line = next(one for one in maps.splitlines() if one.endswith(".packed"))
        assert line.split()[1] == "r--s"
        # nothing to write to is left in the process
        for number in os.listdir(f"/proc/{workers(server)[0]}/fd"):
            assert not os.readlink(f"/proc/{workers(server)[0]}/fd/{number}").endswith((".packed", ".part"))
        with serve(scratch) as second:  # another program on the same home
            assert answer(second) == wanted and state(second) == "mapped"


def test_a_damaged_file_goes_and_is_made_again(scratch):
    with serve(scratch) as server:
        wanted = answer(server)
        wait_for(lambda: packed_file(scratch))
    file = packed_file(scratch)
    with open(file, "r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(file.stat().st_size // 2)
        opened.write(bytes([byte[0] ^ 255]))
    os.utime(file, ns=(time.time_ns(), STAMP * 10**9))
    with serve(scratch) as server:
        assert answer(server) == wanted and state(server) == "bad"
        assert packed_file(scratch) is None
        unload(server)
        assert answer(server) == wanted and state(server) == "made"


def test_a_model_that_is_removed_while_it_is_made(scratch):
    with serve(scratch) as server:
        assert server.ask("DELETE", "/api/models/smollm2").http in (200, 204)
        assert not (scratch / "home/models/smollm2").exists()


def test_a_home_without_it_serves_all_the_same(scratch, monkeypatch):
    monkeypatch.setenv("DEN_PACKED", "off")
    with serve(scratch) as server:
        assert answer(server) and state(server) == "none"
    assert packed_file(scratch) is None
