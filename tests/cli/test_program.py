"""The program as a whole: help, reference, options, settings, and the verbs that look at the machine."""
import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERBS = "serve chat generate embed tokenize template perplexity bench models export import token doctor help".split()


def test_overview_names_every_verb(den):
    overview = den.out("help")
    for verb in VERBS:
        assert f"\n  {verb} " in overview


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_and_examples(den, verb):
    text = den.out("help", verb)
    assert text == den.out(verb, "--help")
    assert "Usage: den " + verb in text and f"den {verb}" in text.split("Examples:")[1]
    assert max(map(len, text.splitlines())) <= 100


def test_reference_is_what_the_program_prints(den):
    assert (ROOT / "docs/CLI.md").read_text() == den.out("help", "--markdown"), \
        "run: build/release/den help --markdown > docs/CLI.md"


def test_manual_page_has_every_verb(den):
    page = den.out("help", "--man")
    assert page.startswith(".TH DEN 1")
    for verb in VERBS:
        assert f".SS den {verb}" in page


def test_bash_completion_completes(den):
    script = den.out("help", "--completion", "bash")
    probe = script + '\nCOMP_WORDS=(den gen); COMP_CWORD=1; _den; echo "${COMPREPLY[@]}"' \
                     '\nCOMP_WORDS=(den bench --pro); COMP_CWORD=2; _den; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True)
    assert done.stdout.split() == ["generate", "--prompt"], done.stderr
    assert "complete -c den" in den.out("help", "--completion", "fish")


@pytest.mark.parametrize("arguments, cause", [
    (["frobnicate"], "frobnicate"), (["generate"], "PROMPT"), (["generate", "a", "b"], "operand"),
    (["generate", "--no-such-option", "x"], "--no-such-option"), (["generate", "--temperature", "warm", "x"], "number"),
    (["generate", "--temperature", "-1", "x"], "between"), (["generate", "--top-p", "nan", "x"], "number"),
    (["generate", "--precision", "int3", "x"], "int8|fp32"), (["generate", "--threads"], "needs a value"),
    (["generate", "--threads", "99999999999999999999", "x"], "number"), (["generate", "--json=1", "x"], "no value"),
    (["generate", "--cpu-features", "sse9", "x"], "sse9"), (["serve", "--port", "70000"], "65535"),
])
def test_wrong_usage_is_explained(den, arguments, cause):
    done = den.run(*arguments)
    assert done.returncode == 2
    assert cause in done.stderr
    assert done.stdout == ""


def test_models_lists_the_default(den):
    listed = json.loads(den.out("models", "--json"))
    smollm2 = next(model for model in listed if model["name"] == "smollm2")
    assert smollm2["installed"] and smollm2["license"] == "Apache-2.0"
    assert "smollm2" in den.out("models")


def test_doctor_measures_this_machine(den):
    facts = json.loads(den.out("doctor", "--json"))
    assert facts["cores"] >= 1 and facts["read_bytes_per_s"] > 1e8 and facts["memory_bytes"] > 1e8
    text = den.out("doctor")
    assert "instruction sets" in text and "smollm2" in text


def test_doctor_states_the_sandbox_and_each_wall(den):
    sandbox = json.loads(den.out("doctor", "--json"))["sandbox"]
    levels = ["full", "no Landlock", "no namespaces", "seccomp only", "Landlock only", "none"]
    assert sandbox["level"] in levels
    walls = {wall["name"]: wall for wall in sandbox["walls"]}
    assert {"user namespace", "empty root", "Landlock", "seccomp"} <= set(walls)
    assert all(wall["up"] or wall["why"] for wall in walls.values())
    assert all(walls[name]["up"] for name in walls if sandbox["level"] == "full" and "executable" not in name)
    text = den.out("doctor")
    assert f"level                  {sandbox['level']}" in text and all(name in text for name in walls)


def test_doctor_says_what_reads_documents(den):
    documents = json.loads(den.out("doctor", "--json"))["documents"]
    tools = {tool["name"]: tool for tool in documents["tools"]}
    assert set(tools) == {"pdfinfo", "pdftotext", "pdftoppm", "tesseract"}
    for name, tool in tools.items():
        assert tool["installed"] == any((pathlib.Path(f) / name).exists() for f in ("/usr/bin", "/bin", "/usr/local/bin"))
    text = den.out("doctor")
    for name, tool in tools.items():
        line = next(line for line in text.splitlines() if line.split()[:1] == [name])
        assert line.endswith("yes") if tool["installed"] else f"apt install {tool['package']}" in line
    assert "osd" not in documents["languages"]


def test_settings_come_from_line_environment_and_file(den):
    config = pathlib.Path(den.env["XDG_CONFIG_HOME"]) / "den"
    config.mkdir(parents=True)
    (config / "config.json").write_text('{"port": 123456}')
    assert "123456" in den.run("serve").stderr
    assert "77777" in den.run("serve", env={"DEN_PORT": "77777"}).stderr
    assert "88888" in den.run("serve", "--port", "88888", env={"DEN_PORT": "77777"}).stderr
    (config / "config.json").write_text("[1]")
    assert "config.json" in den.run("serve").stderr
