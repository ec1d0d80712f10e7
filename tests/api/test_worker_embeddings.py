"""Embeddings through the worker process: the same vectors as without it, beside a chat, and through a death. The model is
all-minilm in the models folder, or the folder that DEN_TEST_EMBEDDING_MODEL names."""
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

import openai
import pytest

import workers
from conftest import PROGRAM, default_home, serve

MODEL = os.environ.get("DEN_TEST_EMBEDDING_MODEL", str(default_home() / "models/all-minilm"))
WORDS = "wing flow heat shock layer boundary plate jet speed lift drag nose cone wave body gas".split()
needs_model = pytest.mark.skipif(not pathlib.Path(MODEL).is_dir(), reason="no sentence encoder is installed")


def texts(count, words=60):
    return [" ".join(WORDS[(7 * i * k + i + k * k) % len(WORDS)] for k in range(words + i % 40)) for i in range(count)]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("embeddings"), "--embedding-model", MODEL) as server:
        embed(server, ["wake up"])
        yield server


def embed(server, inputs):
    answer = server.client().embeddings.create(model="", input=inputs, encoding_format="float")
    assert [item.index for item in answer.data] == list(range(len(inputs)))
    return [item.embedding for item in answer.data]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


def check_same(got, expected):
    assert len(got) == len(expected)
    assert min(cosine(a, b) for a, b in zip(got, expected)) > 0.99999


@needs_model
def test_vectors_are_those_of_den_embed(running):
    inputs = texts(20)
    lines = subprocess.run([PROGRAM, "embed", "-m", MODEL, "-"], input="\n".join(inputs), text=True, capture_output=True, check=True)
    check_same(embed(running, inputs), [[float(x) for x in line.split()] for line in lines.stdout.splitlines()])


@needs_model
def test_embeddings_are_counted(running):
    """As a request each, with its tokens; and they are seen while they run."""
    def totals():
        return running.ask("GET", "/api/activity").json()["totals"]

    before = totals()
    answer = running.client().embeddings.create(model="", input=texts(3))
    after = totals()
    assert after["requests"] - before["requests"] == 1
    assert after["prompt_tokens"] - before["prompt_tokens"] == answer.usage.prompt_tokens > 30
    metrics = running.ask("GET", "/metrics").body.decode()
    assert any(line.startswith("den_worker_prompt_tokens_total{") and float(line.split()[-1]) >= after["prompt_tokens"]
               for line in metrics.splitlines())
    asker = threading.Thread(target=embed, args=(running, texts(1500)))
    asker.start()
    seen = []
    while asker.is_alive() and not seen:
        seen = running.ask("GET", "/api/activity").json()["requests"]
        time.sleep(0.005)
    asker.join()
    assert [one["surface"] for one in seen] == ["embeddings"]
    assert running.ask("GET", "/api/activity").json()["requests"] == []


@needs_model
def test_the_whole_folder_reaches_the_process(running, tmp_path):
    """Another pooling, another length: what is in the small files makes another vector."""
    folder = tmp_path / "other"
    shutil.copytree(MODEL, folder)
    pooling = json.loads((folder / "1_Pooling/config.json").read_text())
    pooling.update(pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 16, "do_lower_case": False}))
    (plain,) = embed(running, ["one short text"])
    with serve(tmp_path, "--embedding-model", str(folder)) as server:
        (vector,) = embed(server, ["one short text"])
        with pytest.raises(openai.BadRequestError) as caught:
            embed(server, texts(1, 100))
    assert cosine(vector, plain) < 0.99
    assert "reads 16 at most" in str(caught.value)


@needs_model
def test_a_chat_is_not_held_up(running):
    inputs, done, ends = texts(300, 120), [], []

    def run():
        done.append(embed(running, inputs))
        ends.append(time.monotonic())

    client = running.client()
    worker = threading.Thread(target=run)
    worker.start()
    while len(workers.workers(running)) < 2:
        time.sleep(0.01)
    first = 0
    for chunk in client.chat.completions.create(model="smollm2", messages=[{"role": "user", "content": "Hello"}], max_tokens=8, stream=True):
        first = first or (chunk.choices and chunk.choices[0].delta.content and time.monotonic())
    end = time.monotonic()
    worker.join()
    assert first and end < ends[0]  # it came and went while texts were embedded
    assert len(done[0]) == 300
    check_same([done[0][i] for i in (0, 150, 299)], embed(running, [inputs[i] for i in (0, 150, 299)]))


@needs_model
def test_a_death_is_a_pause(running):
    inputs, done = texts(100), []
    expected = embed(running, inputs)
    chat = {n for n in workers.workers(running)}
    worker = threading.Thread(target=lambda: done.append(embed(running, inputs)))
    worker.start()
    time.sleep(0.3)
    killed = workers.kill(running)
    worker.join()
    assert killed == len(chat) == 2 and len(done) == 1
    check_same(done[0], expected)
