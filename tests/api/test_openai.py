"""The openai package talks to Den as it does to OpenAI."""
import concurrent.futures
import math

import openai
import pytest

PARIS = "What is the capital of France? Answer in one sentence."


def ask(client, content, **fields):
    fields.setdefault("temperature", 0)
    return client.chat.completions.create(model="smollm2", messages=[{"role": "user", "content": content}], **fields)


@pytest.fixture(scope="module")
def client(server):
    models = server.client().models.list().data
    client = server.client()
    create = client.chat.completions.create
    client.chat.completions.create = lambda **fields: create(**{**fields, "model": models[0].id})
    return client


def test_models(server):
    models = [model for model in server.client().models.list().data if model.den["role"] == "chat"]
    assert models[0].object == "model" and models[0].owned_by == "den"
    assert models[0].den["context_tokens"] > 0
    assert server.client().models.retrieve(models[0].id) == models[0]
    with pytest.raises(openai.NotFoundError) as error:
        server.client().models.retrieve("gpt-4o")
    assert error.value.code == "model_not_found"


def test_answer(client):
    answer = ask(client, PARIS)
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens > 10 and usage.completion_tokens > 3


def test_stream_is_the_answer(client):
    whole = ask(client, PARIS)
    chunks = list(ask(client, PARIS, stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({c.id for c in chunks}) == 1


def test_max_tokens(client):
    for field in ("max_tokens", "max_completion_tokens"):
        answer = ask(client, "Count from one to one hundred.", **{field: 7})
        assert answer.usage.completion_tokens == 7
        assert answer.choices[0].finish_reason == "length"


def test_stop_strings(client):
    plain = ask(client, PARIS).choices[0].message.content
    for stop in ("Paris", ["no such text", "aris"], [plain[3:9]]):
        answer = ask(client, PARIS, stop=stop).choices[0]
        texts = [stop] if isinstance(stop, str) else stop
        cut = min(plain.find(t) for t in texts if t in plain)
        assert answer.message.content == plain[:cut] and answer.finish_reason == "stop"
        chunks = ask(client, PARIS, stop=stop, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == plain[:cut]


def test_seed_repeats(client):
    def story(seed):
        return ask(client, "Tell me a story.", temperature=1.5, seed=seed, max_tokens=30).choices[0].message.content

    assert story(5) == story(5) != story(6)


def test_prediction_changes_no_answer(client):
    question = "Count from one to ten, in words."
    plain = ask(client, question, temperature=0, max_tokens=40)
    text = plain.choices[0].message.content
    details = plain.usage.completion_tokens_details
    assert details.accepted_prediction_tokens == details.rejected_prediction_tokens == 0

    def predict(content):
        answer = ask(client, question, temperature=0, max_tokens=40, prediction={"type": "content", "content": content})
        assert answer.choices[0].message.content == text
        assert answer.usage.completion_tokens == plain.usage.completion_tokens
        details = answer.usage.completion_tokens_details
        return details.accepted_prediction_tokens, details.rejected_prediction_tokens

    accepted, rejected = predict(text)
    assert accepted >= plain.usage.completion_tokens - 2 and rejected <= 2
    assert predict([{"type": "text", "text": text}]) == (accepted, rejected)
    accepted, rejected = predict("Something else altogether.")
    assert accepted < 2 and rejected > 2
    with pytest.raises(openai.BadRequestError, match="prediction.content"):
        ask(client, question, prediction={"type": "content", "content": 3})


def test_logprobs(client):
    answer = ask(client, PARIS, logprobs=True, top_logprobs=5, max_tokens=6).choices[0]
    assert len(answer.logprobs.content) == 6
    for token in answer.logprobs.content:
        assert len(token.top_logprobs) == 5
        assert token.logprob == token.top_logprobs[0].logprob  # temperature 0 takes the likeliest
        assert sum(math.exp(t.logprob) for t in token.top_logprobs) <= 1.0001
        assert bytes(token.bytes).decode() == token.token
    assert "".join(t.token for t in answer.logprobs.content) == answer.message.content
    streamed = [t for c in ask(client, PARIS, logprobs=True, top_logprobs=5, max_tokens=6, stream=True)
                if c.choices[0].logprobs for t in c.choices[0].logprobs.content]
    assert [t.token for t in streamed] == [t.token for t in answer.logprobs.content]


def test_logit_bias(client):
    first = ask(client, PARIS, logprobs=True, max_tokens=1).choices[0].logprobs.content[0].token
    answer = ask(client, PARIS, logit_bias={"260": 100}, max_tokens=4, logprobs=True).choices[0]
    tokens = {t.token for t in answer.logprobs.content}
    assert len(tokens) == 1 and tokens != {first}


def test_several_answers(client):
    answer = ask(client, "Name a colour.", n=3, temperature=1.2, seed=1, max_tokens=12)
    assert [c.index for c in answer.choices] == [0, 1, 2]
    again = ask(client, "Name a colour.", n=3, temperature=1.2, seed=1, max_tokens=12)
    assert [c.message.content for c in answer.choices] == [c.message.content for c in again.choices]


def test_presets(client):
    for preset in ("creative", "factual", "classify"):
        assert ask(client, PARIS, extra_body={"preset": preset}, max_tokens=4).usage.completion_tokens <= 4
    with pytest.raises(openai.BadRequestError) as error:
        ask(client, PARIS, extra_body={"preset": "loud"})
    assert "creative" in error.value.message


def test_parts_and_roles(client):
    plain = client.chat.completions.create(
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": PARIS}], temperature=0)
    parts = client.chat.completions.create(
        messages=[{"role": "developer", "content": "Be brief."},
                  {"role": "user", "content": [{"type": "text", "text": PARIS}]}], temperature=0)
    assert parts.choices[0].message.content == plain.choices[0].message.content
    assert parts.usage.prompt_tokens == plain.usage.prompt_tokens


def test_many_at_once_answer_as_alone(client):
    questions = [f"What is {n} plus {n}? Answer with a number." for n in range(12)]
    alone = [ask(client, q, max_tokens=24).choices[0].message.content for q in questions]
    with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
        together = list(pool.map(lambda q: ask(client, q, max_tokens=24).choices[0].message.content, questions))
    same = sum(a == b for a, b in zip(alone, together))
    assert same >= len(questions) - 2  # batches add in another order: a near tie may fall the other way


def test_next_turn_reads_only_what_is_new(client):
    messages = [{"role": "user", "content": "Write a paragraph about the sea. " * 20}]
    first = client.chat.completions.create(messages=messages, temperature=0, max_tokens=20)
    messages += [{"role": "assistant", "content": first.choices[0].message.content},
                 {"role": "user", "content": "Shorter, please."}]
    second = client.chat.completions.create(messages=messages, temperature=0, max_tokens=5)
    assert second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens - 1


def test_an_answer_is_continued(client):
    question = {"role": "user", "content": "Explain in three sentences why the sky is blue."}
    whole = client.chat.completions.create(messages=[question], temperature=0, max_tokens=20)
    for tokens in (1, 7, 13):  # none of the first 20 tokens is a near tie
        begun = client.chat.completions.create(messages=[question], temperature=0, max_tokens=tokens)
        begun = begun.choices[0].message.content
        messages = [question, {"role": "assistant", "content": begun}]
        rest = client.chat.completions.create(messages=messages, temperature=0, max_tokens=20 - tokens)
        assert begun + rest.choices[0].message.content == whole.choices[0].message.content
        assert rest.usage.prompt_tokens == whole.usage.prompt_tokens + tokens
        chunks = client.chat.completions.create(messages=messages, temperature=0, max_tokens=20 - tokens, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == rest.choices[0].message.content


def test_too_long_says_both_lengths(client, server):
    context = server.client().models.list().data[0].den["context_tokens"]
    with pytest.raises(openai.BadRequestError) as error:
        ask(client, "word " * (context + 100))
    assert error.value.code == "context_length_exceeded" and error.value.param == "messages"
    assert str(context) in error.value.message


def test_progress_and_measures(client):
    chunks = list(ask(client, "Read this: " + "a long sentence about nothing. " * 150, stream=True, max_tokens=3,
                      extra_body={"den": {"progress": True}}))
    progress = [c.den for c in chunks if "prompt_done" in (getattr(c, "den", None) or {})]
    assert progress and progress[-1]["prompt_done"] == progress[-1]["prompt_total"] > 600
    measures = chunks[-1].den
    assert measures["generated_tokens"] == 3 and measures["prompt_tokens"] == progress[-1]["prompt_total"]
    assert measures["tokens_per_s"] > 0 and measures["prompt_seconds"] > 0 and measures["context_tokens"] > 0
