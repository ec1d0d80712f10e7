"""Tools with a model whose template knows none: held to the grammar, its calls are calls, whatever the temperature."""
import json

import pytest

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city", "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 40}, "days": {"type": "integer", "minimum": 1, "maximum": 7},
                                         "unit": {"enum": ["c", "f"]}}, "required": ["city", "days"], "additionalProperties": False}}}
TIME = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}, "additionalProperties": False}}}
QUESTION = [{"role": "user", "content": "What will the weather be in Oslo in the next 3 days?"}]


def check(call):
    arguments = json.loads(call.function.arguments)
    if call.function.name == "get_time":
        assert arguments == {}
        return
    assert call.function.name == "get_weather"
    assert isinstance(arguments["city"], str) and 1 <= arguments["days"] <= 7 and set(arguments) <= {"city", "days", "unit"}


def ask(server, **fields):
    fields = {"model": "", "messages": QUESTION, "tools": [WEATHER, TIME], "max_tokens": 300, **fields}
    return server.client().chat.completions.create(**fields)


@pytest.mark.parametrize("seed", range(5))
def test_required_calls_are_valid(server, seed):
    choice = ask(server, tool_choice="required", temperature=1.5, seed=seed, parallel_tool_calls=False).choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    assert len(choice.message.tool_calls) == 1 and choice.message.tool_calls[0].id
    check(choice.message.tool_calls[0])


def test_a_named_tool_is_called(server):
    choice = ask(server, tool_choice={"type": "function", "function": {"name": "get_time"}}, temperature=0).choices[0]
    assert [c.function.name for c in choice.message.tool_calls] == ["get_time"]


def test_a_stream_joins_to_the_same(server):
    fields = {"tool_choice": "required", "temperature": 0, "parallel_tool_calls": False}
    whole = ask(server, **fields).choices[0].message.tool_calls[0].function
    name, arguments, parts, finish = "", "", 0, None
    for chunk in ask(server, stream=True, **fields):
        for call in chunk.choices[0].delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
            parts += 1
        finish = chunk.choices[0].finish_reason or finish
    assert (name, arguments, finish) == (whole.name, whole.arguments, "tool_calls") and parts > 2


def test_none_is_text(server):
    choice = ask(server, tool_choice="none", temperature=0, max_tokens=20).choices[0]
    assert choice.message.tool_calls is None and choice.message.content


@pytest.mark.parametrize("seed", range(3))
def test_auto_is_text_or_valid_calls(server, seed):
    choice = ask(server, temperature=1, seed=seed).choices[0]
    for call in choice.message.tool_calls or []:
        if choice.finish_reason == "tool_calls":
            check(call)
    assert choice.message.tool_calls or choice.message.content


def test_a_result_is_read(server):
    call = ask(server, tool_choice="required", temperature=0, parallel_tool_calls=False).choices[0].message
    messages = [*QUESTION, call.model_dump(exclude_none=True),
                {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "Sunny, 21 degrees."}]
    prompt = server.ask("POST", "/apply-template", {"messages": messages, "tools": [WEATHER]}).json()["prompt"]
    assert "Sunny, 21 degrees." in prompt and call.tool_calls[0].function.name in prompt.split("Oslo in the next", 1)[1]
    assert ask(server, messages=messages, tool_choice="none", temperature=0, max_tokens=20).choices[0].message.content
