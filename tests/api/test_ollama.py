"""Ollama's client against the real program."""
import json

import ollama
import pytest

MODEL = "smollm2"
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather in a city.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "maxLength": 30}}, "required": ["city"],
    "additionalProperties": False}}}
EXACT = {"temperature": 0, "num_predict": 40}


@pytest.fixture
def client(server):
    return ollama.Client(host=server.url)


def test_chat_whole_and_streamed(client):
    messages = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
    whole = client.chat(model=MODEL, messages=messages, options=EXACT)
    assert "Paris" in whole.message.content and whole.done and whole.done_reason == "stop"
    assert whole.model == f"{MODEL}:latest"
    assert whole.prompt_eval_count > 10 and 0 < whole.eval_count <= 40
    assert whole.total_duration >= whole.eval_duration > 0
    parts = list(client.chat(model=f"{MODEL}:latest", messages=messages, options=EXACT, stream=True))
    assert "".join(part.message.content for part in parts) == whole.message.content
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]


def test_generate(client):
    answer = client.generate(model=MODEL, prompt="Say hello.", options=EXACT)
    assert answer.response and answer.done_reason in ("stop", "length")
    parts = list(client.generate(model=MODEL, prompt="Say hello.", options=EXACT, stream=True))
    assert "".join(part.response for part in parts) == answer.response
    raw = client.generate(model=MODEL, prompt="The capital of France is", raw=True, options={"temperature": 0, "num_predict": 4})
    assert "Paris" in raw.response
    assert client.generate(model=MODEL, prompt="Count.", options={"num_predict": 3}).done_reason == "length"


def test_lines_are_json(server):
    answer = server.ask("POST", "/api/generate", {"model": MODEL, "prompt": "Hi", "options": {"num_predict": 3}})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.body.decode().splitlines() if line.startswith("{")]
    assert lines[-1]["done"] is True and lines[0]["created_at"].endswith("Z")


@pytest.mark.parametrize("format", ["json", {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 150}},
                                             "required": ["age"], "additionalProperties": False}])
def test_an_answer_in_json(client, format):
    answer = client.chat(model=MODEL, messages=[{"role": "user", "content": "Repeat: {\"age\": 30}"}], format=format,
                         options={"temperature": 0, "num_predict": 200})
    value = json.loads(answer.message.content)
    assert isinstance(value, dict)
    if isinstance(format, dict):
        assert 0 <= value["age"] <= 150


def test_an_empty_question_loads_the_model(client):
    answer = client.generate(model=MODEL)
    assert answer.done and answer.done_reason == "load" and answer.response == ""
    assert MODEL + ":latest" in [model.model for model in client.ps().models]


def test_tools_go_there_and_back(client):
    question = {"role": "user", "content": "What is the weather in Paris? Use the tool."}
    calls = [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]
    answer = client.chat(model=MODEL, tools=[TOOL], options=EXACT, messages=[
        question, {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_name": "get_weather", "content": "Sunny, 23 degrees."}])
    assert answer.done


def test_lists_and_descriptions(client, server):
    listed = {model.model: model for model in client.list().models}
    assert f"{MODEL}:latest" in listed
    model = listed[f"{MODEL}:latest"]
    assert model.size > 90e6 and len(model.digest) == 64
    shown = client.show(MODEL)
    assert "completion" in shown.capabilities and shown.modelinfo["general.architecture"] == "llama"
    assert shown.modelinfo["llama.context_length"] > 0 and shown.details.quantization_level == "Q4_1"
    assert "im_start" in shown.template
    assert server.ask("GET", "/api/version").json()["version"]
    assert server.ask("HEAD", "/").http == 200


def test_vectors(client):
    answer = client.embed(model="all-minilm", input=["A cat sat.", "A dog ran."])
    assert len(answer.embeddings) == 2 and len(answer.embeddings[0]) == 384
    assert abs(sum(x * x for x in answer.embeddings[0]) - 1) < 1e-3
    assert answer.prompt_eval_count > 4
    assert client.embeddings(model="all-minilm", prompt="A cat sat.").embedding[0] == pytest.approx(answer.embeddings[0][0], abs=1e-5)


@pytest.mark.parametrize("path, body, http, words", [
    ("/api/chat", {"messages": []}, 400, "model"),
    ("/api/chat", {"model": "absent", "messages": [{"role": "user", "content": "x"}]}, 404, "absent"),
    ("/api/chat", {"model": MODEL, "messages": [{"role": "user", "content": "x", "images": ["AA=="]}]}, 400, "text only"),
    ("/api/generate", {"model": MODEL, "prompt": "x", "suffix": "y"}, 400, "suffix"),
    ("/api/generate", {"model": MODEL, "prompt": "x", "format": "xml"}, 400, "format"),
    ("/api/embed", {"model": "all-minilm"}, 400, "input"),
    ("/api/embed", {"model": MODEL, "input": "x"}, 400, "role"),
    ("/api/show", {}, 400, "model"),
    ("/api/copy", {"source": "a", "destination": "b"}, 400, "/api/pull"),
])
def test_what_is_wrong_is_said_as_ollama_says_it(server, path, body, http, words):
    answer = server.ask("POST", path, body)
    assert answer.http == http and set(answer.json()) == {"error"} and words in answer.json()["error"]
