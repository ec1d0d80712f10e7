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
LIBRARY = [command for command in COMMANDS if shlex.split(command)[1] in ("add", "search", "ask")]


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in LIBRARY])
def test_command(den, command):
    out = den.out(*shlex.split(command, comments=True)[1:], cwd=ROOT)
    assert out.strip()
    if "--json-schema" in command:
        assert set(json.loads(out)) == {"name", "born", "known_for"}
    if "capital of France" in command:
        assert "Paris" in out


def test_documents_are_added_searched_and_asked(den):
    assert [shlex.split(command)[1] for command in LIBRARY] == ["add", "search", "ask"]
    added, found, answer = (den.out(*shlex.split(command, comments=True)[1:], cwd=ROOT) for command in LIBRARY)
    assert " added" in added
    assert "sandbox" in found
    assert "[1] " in answer


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_verbs_in_use_exist(den):
    verbs = set(re.findall(r"^  (\w+) ", den.out("help"), re.M))
    for name in re.findall(r"`den ([a-z]+)", README):
        assert name in verbs, name
