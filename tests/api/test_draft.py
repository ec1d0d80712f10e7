"""`den serve --draft`: a second model guesses ahead, and answers stay what they are without it."""
import json
import pathlib
import shutil
import subprocess

from conftest import PROGRAM, serve

MODELS = pathlib.Path(__file__).resolve().parents[1] / "fixtures/models"


def answers(server):
    def ask(**fields):
        answered = server.ask("POST", "/v1/completions", {"prompt": "hello", "max_tokens": 30, "ignore_eos": True, **fields})
        assert answered.http == 200, answered.body
        return answered.json()["choices"][0]["text"]

    return [ask(temperature=0), ask(temperature=1, seed=4), ask(temperature=1, seed=5, top_p=0.9)]


def test_a_draft_model_changes_no_answer(tmp_path):
    for name in ("plain", "drafted"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "plain", model=MODELS / "llama") as server:
        wanted = answers(server)
    with serve(tmp_path / "drafted", "--draft", MODELS / "llama_linear", model=MODELS / "llama") as server:
        assert answers(server) == wanted
    assert "draft_model_left_out" not in (tmp_path / "drafted/serve.log").read_text()


def rename_a_token(folder):
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    name = next(name for name, number in vocabulary.items() if number == 283)
    vocabulary[name + "x"] = vocabulary.pop(name)
    path.write_text(json.dumps(tokenizer))


def test_one_with_other_tokens_is_left_out_and_told(tmp_path):
    other = tmp_path / "other"
    shutil.copytree(MODELS / "llama", other)
    rename_a_token(other)
    (tmp_path / "plain").mkdir()
    with serve(tmp_path / "plain", model=MODELS / "llama") as server:
        wanted = answers(server)
    (tmp_path / "refused").mkdir()
    with serve(tmp_path / "refused", "--draft", other, model=MODELS / "llama") as server:
        assert answers(server) == wanted
    log = (tmp_path / "refused/serve.log").read_text()
    assert log.count("draft_model_left_out") == 1 and "same vocabulary" in log


def test_one_that_is_not_there_is_an_error(tmp_path):
    done = subprocess.run([PROGRAM, "serve", "--port", "0", "-m", MODELS / "llama", "--draft", tmp_path / "none.gguf"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "none.gguf" in done.stderr
