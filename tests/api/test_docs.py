"""The examples of docs/API.md, run as they stand against a running server."""
import json
import pathlib
import re
import subprocess

import pytest

TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs/API.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", TEXT, re.S)


def test_there_are_examples():
    assert len(EXAMPLES) >= 6 and all("http://127.0.0.1:4327" in e for e in EXAMPLES)


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_shell_example(server, index):
    command = EXAMPLES[index].replace("http://127.0.0.1:4327", server.url)
    if "/v1/embeddings" in command and all(m.den["role"] != "embedding" for m in server.client().models.list().data):
        pytest.skip("no embedding model is installed")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if '"stream": true' in command:
        assert done.stdout.rstrip().endswith("data: [DONE]")
    else:
        assert done.stdout.startswith("{")
    if "progress" in command:
        assert '"prompt_done"' in done.stdout and '"tokens_per_s"' in done.stdout


def test_python_example(server):
    code = re.search(r"```python\n(.*?)```", TEXT, re.S).group(1)
    model = server.client().models.list().data[0].id
    exec(code.replace("http://127.0.0.1:4327", server.url).replace("smollm2", model), {})


def test_the_error_shown_is_the_error(server):
    shown = re.search(r"```json\n(.*?)```", TEXT, re.S).group(1)
    answer = server.ask("POST", "/v1/chat/completions",
                        {"messages": [{"role": "user", "content": "Hi"}], "temperature": "hot"})
    assert answer.json() == json.loads(shown)
