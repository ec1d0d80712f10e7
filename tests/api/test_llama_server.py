"""What llama-server's clients ask for, from the real program: tokens, prompts, completions, ranks and metrics."""
import json

import pytest
from conftest import default_home, serve
from prometheus_client.parser import text_string_to_metric_families

EMBEDDER = default_home() / "models/all-minilm"


def post(server, path, body, http=200):
    answer = server.ask("POST", path, body)
    assert answer.http == http, answer.body
    return answer.json()


def metrics(server):
    answer = server.ask("GET", "/metrics")
    assert answer.http == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return list(text_string_to_metric_families(answer.body.decode()))


def samples(families):
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


@pytest.mark.parametrize("text", ["Hello, world!", "", " a\n\n  b\t", "Grüße 日本語 😀", "<|im_start|>user"])
def test_tokens_and_back(server, text):
    tokens = post(server, "/tokenize", {"content": text})["tokens"]
    assert all(isinstance(t, int) for t in tokens)
    plain = post(server, "/tokenize", {"content": text, "parse_special": False})["tokens"]
    assert post(server, "/detokenize", {"tokens": plain})["content"] == text
    assert ("<|im" in text) == (len(plain) > len(tokens))


def test_pieces_are_texts_or_bytes(server):
    pieces = post(server, "/tokenize", {"content": "Hi 😀", "with_pieces": True})["tokens"]
    data = b"".join(p["piece"].encode() if isinstance(p["piece"], str) else bytes(p["piece"]) for p in pieces)
    assert data.decode() == "Hi 😀" and any(isinstance(p["piece"], list) for p in pieces)


def test_a_prompt_that_completes_is_the_chat(server):
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = post(server, "/apply-template", {"messages": messages})["prompt"]
    assert prompt.endswith("<|im_start|>assistant\n") and messages[0]["content"] in prompt
    whole = post(server, "/completion", {"prompt": prompt, "temperature": 0, "n_predict": 24})
    chat = post(server, "/v1/chat/completions", {"messages": messages, "temperature": 0, "max_tokens": 24})
    assert whole["content"] == chat["choices"][0]["message"]["content"]
    assert whole["stop"] is True and whole["stop_type"] in ("eos", "limit")
    assert whole["timings"]["predicted_n"] == whole["tokens_predicted"]


def test_tools_are_in_the_prompt(server):
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    prompt = post(server, "/apply-template", {"messages": [{"role": "user", "content": "Hi"}], "tools": tools})["prompt"]
    assert "get_weather" in prompt and "<tool_call>" in prompt


def test_completion_streams(server):
    body = {"prompt": "One, two, three,", "temperature": 0, "n_predict": 8, "stream": True}
    answer = server.ask("POST", "/completion", body)
    assert answer.http == 200
    events = [json.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    whole = post(server, "/completion", {**body, "stream": False})
    assert "".join(e["content"] for e in events) == whole["content"]
    assert [e["stop"] for e in events] == [False] * (len(events) - 1) + [True]


def test_completion_stops_at_a_word(server):
    whole = post(server, "/completion", {"prompt": "One, two, three, four,", "temperature": 0, "n_predict": 40, "stop": ["six"]})
    assert whole["stop_type"] == "word" and whole["stopping_word"] == "six" and "six" not in whole["content"]


def test_errors_have_its_shape(server):
    error = post(server, "/completion", {"n_predict": 1}, 400)["error"]
    assert error["code"] == 400 and error["type"] == "invalid_request_error" and "prompt" in error["message"]
    assert post(server, "/tokenize", {"content": "a", "model": "nobody"}, 404)["error"]["type"] == "not_found_error"
    assert post(server, "/detokenize", {"tokens": [10**9]}, 400)["error"]["code"] == 400


def test_props_and_slots(server):
    props = server.ask("GET", "/props").json()
    assert props["default_generation_settings"]["n_ctx"] > 0 and "<|im_start|>" in props["chat_template"]
    slots = server.ask("GET", "/slots").json()
    assert len(slots) == props["total_slots"] and not slots[0]["is_processing"]
    assert server.ask("GET", "/health").json()["status"] == server.ask("GET", "/v1/health").json()["status"] == "ok"


def test_metrics_are_prometheus(server):
    before = samples(metrics(server))
    chat = post(server, "/v1/chat/completions", server.chat("Say hi to the metrics.", max_tokens=5))
    server.ask("GET", "/no/such/route/secret-words")
    families = metrics(server)
    after = samples(families)
    kinds = {family.name: family.type for family in families}
    assert kinds["llamacpp:prompt_tokens"] == "counter" and kinds["den_http_request_seconds"] == "histogram"
    assert len(kinds) == len(families), "a family comes twice"
    key = ("llamacpp:tokens_predicted_total",)
    assert after[key] - before[key] == chat["usage"]["completion_tokens"]
    key = ("den_http_requests_total", ("route", "/v1/chat/completions"), ("status", "200"))
    assert after[key] - before.get(key, 0) == 1
    text = server.ask("GET", "/metrics").body.decode()
    assert "secret-words" not in text and "Say hi" not in text
    buckets = [v for k, v in after.items() if k[0] == "den_http_request_seconds_bucket" and ("route", "/v1/chat/completions") in k]
    assert buckets == sorted(buckets) and buckets[-1] >= 1


def test_metrics_need_the_token(tmp_path):
    with serve(tmp_path, "--token", "open-sesame-open-sesame") as server:
        assert server.ask("GET", "/metrics").http == 401
        assert server.ask("GET", "/metrics", headers={"Authorization": "Bearer open-sesame-open-sesame"}).http == 200
        assert server.ask("GET", "/v1/health").http == 200


@pytest.mark.skipif(not EMBEDDER.exists(), reason="no embedding model is installed")
@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/reranking"])
def test_rerank(server, path):
    documents = ["Bananas are yellow.", "A panda is a bear that eats bamboo.", "The stock market fell."]
    answer = post(server, path, {"query": "What is a panda?", "documents": documents, "top_n": 2})
    assert [r["index"] for r in answer["results"]][0] == 1 and len(answer["results"]) == 2
    scores = [r["relevance_score"] for r in answer["results"]]
    assert scores == sorted(scores, reverse=True) and 0.3 < scores[0] <= 1
