"""README's commands, as they stand there. What needs a model that nobody here has (paths below ~) is left out, as are the commands
that never end (serve, chat) and the tests themselves."""
import json
import pathlib
import re
import shlex

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
            if line.startswith("./run ") and "~/" not in line and shlex.split(line)[1] not in ("serve", "chat")]


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("command", COMMANDS)
def test_command(den, command):
    out = den.out(*shlex.split(command, comments=True)[1:], cwd=ROOT)
    assert out.strip()
    if "--json-schema" in command:
        assert set(json.loads(out)) == {"name", "born", "known_for"}
    if "capital of France" in command:
        assert "Paris" in out


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_verbs_in_use_exist(den):
    verbs = set(re.findall(r"^  (\w+) ", den.out("help"), re.M))
    for name in re.findall(r"`den ([a-z]+)", README):
        assert name in verbs, name
