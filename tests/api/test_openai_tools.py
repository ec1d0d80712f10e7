"""Structured output and tools through the openai package: plain, streamed, its parse helpers, synchronous or not. A small
model answers: what is checked is the shape, which no model can get wrong."""
import asyncio
import json
from typing import Literal

import openai
import pydantic
import pytest

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city", "strict": True,
    "parameters": {"type": "object", "required": ["city", "unit"], "additionalProperties": False,
                   "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["C", "F"]}}}}}
TIME = {"type": "function", "function": {"name": "get_time", "parameters": {
    "type": "object", "required": ["zone"], "additionalProperties": False,
    "properties": {"zone": {"type": "string", "maxLength": 12}}}}}
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]


class City(pydantic.BaseModel):
    name: Literal["Paris", "Rome"]
    population: int
    is_capital: bool


@pytest.fixture(scope="module")
def client(server):
    return server.client()


def create(client, messages=ASK, **fields):
    return client.chat.completions.create(model="", messages=messages, **{"temperature": 0, "max_tokens": 200, **fields})


def check_call(call):
    assert call.type == "function" and call.id and call.function.name == "get_weather"
    arguments = json.loads(call.function.arguments)
    assert set(arguments) == {"city", "unit"} and arguments["unit"] in ("C", "F")


def test_json_object(client):
    for seed in range(3):
        answer = create(client, response_format={"type": "json_object"}, temperature=1.5, seed=seed)
        if answer.choices[0].finish_reason == "stop":
            assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_parse_helper(client):
    answer = client.chat.completions.parse(model="", messages=[{"role": "user", "content": "Describe Paris."}],
                                           response_format=City, max_tokens=200, temperature=0)
    city = answer.choices[0].message.parsed
    assert isinstance(city, City) and city.name in ("Paris", "Rome")


def test_stream_helper_parses(client):
    with client.chat.completions.stream(model="", messages=[{"role": "user", "content": "Describe Rome."}],
                                        response_format=City, max_tokens=200, temperature=0) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "content.delta" in kinds and "content.done" in kinds
    assert isinstance(final.choices[0].message.parsed, City)


def test_required_tool(client):
    answer = create(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False).choices[0]
    assert answer.finish_reason == "tool_calls" and len(answer.message.tool_calls) == 1
    check_call(answer.message.tool_calls[0])
    assert not answer.message.content


def test_named_tool(client):
    answer = create(client, tools=[TIME, WEATHER], parallel_tool_calls=False,
                    tool_choice={"type": "function", "function": {"name": "get_weather"}}).choices[0]
    check_call(answer.message.tool_calls[0])
    allowed = create(client, tools=[TIME, WEATHER], parallel_tool_calls=False, tool_choice={
        "type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": "get_weather"}}]}}).choices[0]
    check_call(allowed.message.tool_calls[0])


def test_no_tool(client):
    answer = create(client, tools=[WEATHER], tool_choice="none", max_tokens=10).choices[0]
    assert answer.message.tool_calls is None and answer.message.content


def test_tools_stream(client):
    whole = create(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False).choices[0]
    chunks = list(create(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, stream=True))
    deltas = [c.choices[0].delta.tool_calls[0] for c in chunks if c.choices[0].delta.tool_calls]
    assert deltas[0].id and deltas[0].function.name == "get_weather" and deltas[0].function.arguments == ""
    assert all(d.index == 0 for d in deltas) and all(d.id is None and d.function.name is None for d in deltas[1:])
    text = "".join(d.function.arguments for d in deltas)
    assert json.loads(text) == json.loads(whole.message.tool_calls[0].function.arguments)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_round_trip(client):
    call = create(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False).choices[0].message
    answer = create(client, [*ASK, call.model_dump(exclude_none=True), {
        "role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "18 degrees and rain"}], tools=[WEATHER], max_tokens=30)
    assert answer.choices[0].finish_reason in ("stop", "length", "tool_calls")


def test_functions_of_old(client):
    answer = create(client, functions=[WEATHER["function"]], function_call={"name": "get_weather"}).choices[0]
    assert answer.finish_reason == "function_call"
    assert set(json.loads(answer.message.function_call.arguments)) == {"city", "unit"}


def test_grammar(client):
    answer = create(client, extra_body={"grammar": 'root ::= "yes" | "no"'})
    assert answer.choices[0].message.content in ("yes", "no")


def test_schema_that_can_not_be_held_is_named(client):
    with pytest.raises(openai.BadRequestError) as error:
        create(client, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {
            "type": "object", "unevaluatedProperties": {"$dynamicRef": "#x"}}}})
    assert error.value.code in ("unsupported_value", None) and error.value.message


def test_async(server):
    async def run():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            answers = await asyncio.gather(*[client.chat.completions.create(
                model="", messages=[{"role": "user", "content": f"Say {n}."}], max_tokens=8) for n in range(4)])
            stream = await client.chat.completions.create(model="", messages=ASK, max_tokens=8, stream=True)
            return answers, [chunk async for chunk in stream]

    answers, chunks = asyncio.run(run())
    assert all(a.choices[0].message.content for a in answers)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")
