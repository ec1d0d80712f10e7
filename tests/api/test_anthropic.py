"""Anthropic's client against the real program."""
import json

import anthropic
import pytest

MODEL = "smollm2"
EXACT = {"temperature": 0}  # part of the API, though no longer of the client's signature
TOOL = {"name": "get_weather", "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 30}},
                         "required": ["city"], "additionalProperties": False}}


@pytest.fixture
def client(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)


def ask(client, content, **fields):
    fields = {"model": MODEL, "max_tokens": 40, "extra_body": EXACT, **fields}
    return client.messages.create(messages=[{"role": "user", "content": content}], **fields)


def test_an_answer(client):
    message = ask(client, "What is the capital of France? Answer in one sentence.")
    assert message.type == "message" and message.role == "assistant" and message.id.startswith("msg_")
    assert "Paris" in message.content[0].text
    assert message.stop_reason == "end_turn" and message.stop_sequence is None
    assert message.usage.input_tokens + message.usage.cache_read_input_tokens > 10
    assert 0 < message.usage.output_tokens <= 40


def test_a_stream_says_the_same_as_the_whole(client):
    question = "Name three colours."
    whole = ask(client, question)
    events = []
    with client.messages.stream(model=MODEL, max_tokens=40, extra_body=EXACT,
                                messages=[{"role": "user", "content": question}]) as stream:
        for event in stream:
            events.append(event.type)
        final = stream.get_final_message()
    assert final.content[0].text == whole.content[0].text
    assert final.stop_reason == whole.stop_reason
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert events[0] == "message_start" and events[-1] == "message_stop"
    assert events.index("content_block_start") < events.index("content_block_delta") < events.index("content_block_stop")


def test_every_event_is_named_and_typed(server):
    body = {"model": MODEL, "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    text = server.ask("POST", "/v1/messages", body).body.decode()
    for block in text.replace("\r", "").split("\n\n"):
        names = [line[7:] for line in block.split("\n") if line.startswith("event: ")]
        datas = [json.loads(line[6:]) for line in block.split("\n") if line.startswith("data: ")]
        assert [data["type"] for data in datas] == names


def test_stop_sequences(client):
    message = ask(client, "Count: 1, 2, 3,", stop_sequences=[" "], max_tokens=60)
    assert message.stop_reason == "stop_sequence" and message.stop_sequence == " "
    assert ask(client, "Tell me a long story.", max_tokens=5).stop_reason == "max_tokens"


def test_system_as_text_and_as_blocks(client):
    text = "Always answer with the single word: yes."
    assert ask(client, "Are you there?", system=text).content[0].text == ask(
        client, "Are you there?", system=[{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]).content[0].text


@pytest.mark.parametrize("choice", [{"type": "any", "disable_parallel_tool_use": True},
                                    {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}])
def test_a_round_with_a_tool(client, choice):
    question = {"role": "user", "content": "What is the weather in Paris?"}
    first = client.messages.create(model=MODEL, max_tokens=100, extra_body=EXACT, tools=[TOOL], tool_choice=choice,
                                   messages=[question])
    assert first.stop_reason == "tool_use"
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.name == "get_weather" and set(call.input) == {"city"}
    second = client.messages.create(
        model=MODEL, max_tokens=40, extra_body=EXACT, tools=[TOOL], tool_choice={"type": "none"},
        messages=[question, {"role": "assistant", "content": first.content},
                  {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny, 23 degrees."}]}])
    assert second.stop_reason in ("end_turn", "max_tokens") and second.content[0].type == "text"


def test_a_tool_call_streams_as_json(client):
    with client.messages.stream(model=MODEL, max_tokens=100, extra_body=EXACT, tools=[TOOL], tool_choice={"type": "any", "disable_parallel_tool_use": True},
                                messages=[{"role": "user", "content": "What is the weather in Rome?"}]) as stream:
        parts = "".join(event.delta.partial_json for event in stream
                        if event.type == "content_block_delta" and event.delta.type == "input_json_delta")
        final = stream.get_final_message()
    call = next(block for block in final.content if block.type == "tool_use")
    assert json.loads(parts)["city"] == call.input["city"]


def test_tokens_are_counted_as_they_are_read(client):
    question = "How many tokens has this question?"
    counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": question}]).input_tokens
    usage = ask(client, question, max_tokens=1).usage
    assert counted == usage.input_tokens + usage.cache_read_input_tokens


@pytest.mark.parametrize("change, kind, words", [
    ({"max_tokens": None}, anthropic.BadRequestError, "max_tokens"),
    ({"model": "absent"}, anthropic.NotFoundError, "absent"),
    ({"messages": []}, anthropic.BadRequestError, "messages"),
    ({"messages": [{"role": "system", "content": "x"}]}, anthropic.BadRequestError, "messages[0].role"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                                                          "data": "AA=="}}]}]},
     anthropic.BadRequestError, "text only"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, anthropic.BadRequestError, "tools[0].type"),
    ({"tool_choice": {"type": "tool", "name": "absent"}, "tools": [TOOL]}, anthropic.BadRequestError, "tool_choice.name"),
    ({"temperature": 3}, anthropic.BadRequestError, "temperature"),
])
def test_what_is_wrong_is_said_as_anthropic_says_it(client, server, change, kind, words):
    body = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "x"}], **change}
    with pytest.raises(kind) as caught:
        client.post("/v1/messages", body=body, cast_to=object)
    assert caught.value.body["type"] == "error" and words in caught.value.body["error"]["message"]


def test_the_key_may_come_in_either_header(server):
    body = {"model": MODEL, "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
    for headers in ({"x-api-key": "none"}, {"Authorization": "Bearer none"}, {}):
        assert server.ask("POST", "/v1/messages", body, {"anthropic-version": "2023-06-01", **headers}).http == 200


def test_models_in_anthropics_shape(client):
    models = list(client.models.list())
    assert MODEL in [model.id for model in models]
    assert client.models.retrieve(MODEL).type == "model"
