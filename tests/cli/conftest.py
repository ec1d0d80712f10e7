"""Runs the real program. DEN_PROGRAM names it (build/release/den by default); the default model must be installed."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Den:
    """One program and one home; den.run("verb", ...) returns the finished process."""

    def __init__(self, program, home, models, scratch):
        self.program = program
        self.scratch = scratch
        self.env = {**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(scratch / "config")}
        self.model = models / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"

    def run(self, *arguments, text=True, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            options.pop("stdin")
        env = {**self.env, **options.pop("env", {})}
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=text, env=env, **options)

    def out(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout


def default_home():
    data = os.environ.get("XDG_DATA_HOME", os.path.expanduser("~/.local/share"))
    return pathlib.Path(os.environ.get("DEN_HOME", f"{data}/den"))


@pytest.fixture
def den(tmp_path):
    program = os.environ.get("DEN_PROGRAM", str(ROOT / "build/release/den"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(default_home() / "models")
    return Den(program, home, default_home() / "models", tmp_path)
