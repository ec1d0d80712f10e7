"""The worker process is killed while an answer is held to a schema or writes a tool call: what the client gets is what it
would have got, to the byte."""
import json

import pytest

import workers
from conftest import serve

SCHEMA = {"type": "object", "additionalProperties": False, "required": ["title", "tags", "pages", "summary"], "properties": {
    "title": {"type": "string", "minLength": 10, "maxLength": 60}, "pages": {"type": "integer", "minimum": 1, "maximum": 900},
    "tags": {"type": "array", "minItems": 3, "maxItems": 5, "items": {"type": "string", "minLength": 3, "maxLength": 20}},
    "summary": {"type": "string", "minLength": 60, "maxLength": 200}}}
BOOK = [{"role": "user", "content": "Describe a book about rivers as JSON."}]
TOOLS = [{"type": "function", "function": {"name": "send_letter", "description": "Sends a letter", "parameters": {
    "type": "object", "additionalProperties": False, "required": ["to", "text"], "properties": {
        "to": {"type": "string", "minLength": 3, "maxLength": 30}, "text": {"type": "string", "minLength": 100, "maxLength": 300}}}}}]
LETTER = [{"role": "user", "content": "Write a long letter to my aunt about the garden."}]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("held")) as server:
        yield server


def stream(server, kill_at=(), **fields):
    """Everything but ids and times that the stream told, in order, and how many workers were killed."""
    told, killed, finish, ids = [], 0, None, set()
    for count, chunk in enumerate(server.client().chat.completions.create(model="", stream=True, max_tokens=400, **fields)):
        for choice in chunk.choices:
            if choice.delta.content:
                told.append(("text", choice.delta.content))
            for call in choice.delta.tool_calls or []:
                ids |= {call.id} if call.id else set()
                told.append(("call", call.index, call.function.name, call.function.arguments))
            finish = choice.finish_reason or finish
        if count in kill_at:
            killed += workers.kill_when_there(server)
    return told, finish, ids, killed


@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1.3, "seed": 5}])
def test_a_schema_is_kept(running, sampling):
    fields = {"messages": BOOK, "response_format": {"type": "json_schema", "json_schema": {
        "name": "book", "strict": True, "schema": SCHEMA}}, **sampling}
    expected = stream(running, **fields)
    got = stream(running, (3, 20, 40), **fields)
    assert got[3] == 3
    assert "".join(t for _, t in got[0]) == "".join(t for _, t in expected[0]) and got[1] == expected[1] == "stop"
    value = json.loads("".join(t for _, t in got[0]))
    assert set(value) == set(SCHEMA["required"]) and 1 <= value["pages"] <= 900 and 3 <= len(value["tags"]) <= 5


@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1.1, "seed": 8}])
def test_a_tool_call_goes_on(running, sampling):
    fields = {"messages": LETTER, "tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False, **sampling}
    expected = stream(running, **fields)
    got = stream(running, (2, 15, 30), **fields)
    assert got[3] == 3 and got[1] == expected[1] == "tool_calls"
    assert len(got[2]) == 1  # the id stays what it was
    for told in (got, expected):
        assert [part[2] for part in told[0] if part[0] == "call" and part[2]] == ["send_letter"]
    assert "".join(p[3] or "" for p in got[0] if p[0] == "call") == "".join(p[3] or "" for p in expected[0] if p[0] == "call")
    assert set(json.loads("".join(p[3] or "" for p in got[0] if p[0] == "call"))) == {"to", "text"}


@pytest.mark.parametrize("seed", range(2))
def test_a_schema_with_tools_is_one_or_the_other(running, seed):
    fields = {"messages": LETTER, "tools": TOOLS, "temperature": 1, "seed": seed, "response_format": {
        "type": "json_schema", "json_schema": {"name": "book", "strict": True, "schema": SCHEMA}}}
    expected = stream(running, **fields)
    got = stream(running, (1, 10, 25), **fields)
    assert got[3] == 3 and got[1] == expected[1]
    assert [p[:1] + p[2:] if p[0] == "call" else p for p in got[0]] == \
        [p[:1] + p[2:] if p[0] == "call" else p for p in expected[0]]
    if got[1] == "stop":
        assert set(json.loads("".join(t for _, t in got[0]))) == set(SCHEMA["required"])


def test_a_grammar_is_kept(running):
    fields = {"messages": BOOK, "temperature": 1, "seed": 3, "extra_body": {"grammar": 'root ::= "no" ("-" [a-f0-9]{4}){30} "."'}}
    expected = stream(running, **fields)
    got = stream(running, (2, 12, 24), **fields)
    text = "".join(t for _, t in got[0])  # a busy machine may tell two tokens in one piece
    assert text == "".join(t for _, t in expected[0]) and got[1] == expected[1] and got[3] == 3
    assert len(text) == 2 + 30 * 5 + 1
