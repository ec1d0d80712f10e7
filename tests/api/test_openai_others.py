"""Completions, embeddings and responses through the openai package."""
import asyncio
import base64
import json
import math
import struct

import openai
import pydantic
import pytest

from test_openai_tools import WEATHER


class Answer(pydantic.BaseModel):
    number: int
    sure: bool


RESPONSE_TOOL = {"type": "function", **WEATHER["function"]}


@pytest.fixture(scope="module")
def client(server):
    return server.client()


@pytest.fixture(scope="module")
def embedding_model(client):
    names = [m.id for m in client.models.list().data if m.den["role"] == "embedding"]
    if not names:
        pytest.skip("no embedding model is installed")
    return names[0]


# --- completions ---

def complete(client, prompt, **fields):
    return client.completions.create(model="", prompt=prompt, **{"temperature": 0, "max_tokens": 8, **fields})


def test_completion(client):
    answer = complete(client, "The capital of France is")
    assert answer.object == "text_completion" and answer.choices[0].finish_reason in ("stop", "length")
    assert "Paris" in answer.choices[0].text
    streamed = complete(client, "The capital of France is", stream=True)
    assert "".join(c.choices[0].text for c in streamed) == answer.choices[0].text


def test_prompts_and_tokens(client, server):
    ids = server.ask("POST", "/tokenize", {"content": "The capital of France is"}).json()["tokens"]
    texts = [c.text for c in complete(client, ["The capital of France is", "One, two, three,"], n=2, seed=1).choices]
    assert len(texts) == 4 and texts[0] == texts[1]
    assert complete(client, ids).choices[0].text == texts[0]
    echoed = complete(client, "One, two, three,", echo=True).choices[0].text
    assert echoed == "One, two, three," + texts[2]


def test_completion_logprobs(client):
    choice = complete(client, "One, two, three,", logprobs=3, max_tokens=4).choices[0]
    assert len(choice.logprobs.tokens) == len(choice.logprobs.token_logprobs) == 4
    assert all(len(top) == 3 and max(top.values()) == own
               for top, own in zip(choice.logprobs.top_logprobs, choice.logprobs.token_logprobs))
    assert choice.logprobs.text_offset[0] == 0 and "".join(choice.logprobs.tokens) == choice.text


# --- embeddings ---

def test_embeddings(client, embedding_model):
    texts = ["A cat sat on the mat.", "A kitten rests on the rug.", "Interest rates rose by a quarter point."]
    answer = client.embeddings.create(model=embedding_model, input=texts)  # base64, as the package asks
    plain = client.embeddings.create(model=embedding_model, input=texts, encoding_format="float")
    vectors = [d.embedding for d in answer.data]
    assert [d.index for d in answer.data] == [0, 1, 2] and answer.usage.prompt_tokens > 15
    for vector, other in zip(vectors, plain.data):
        assert math.isclose(sum(x * x for x in vector), 1, abs_tol=1e-3)
        assert max(abs(a - b) for a, b in zip(vector, other.embedding)) < 1e-6
    cosine = lambda a, b: sum(x * y for x, y in zip(a, b))
    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2]) + 0.2
    short = client.embeddings.create(model=embedding_model, input="a cat", dimensions=16, encoding_format="float")
    assert len(short.data[0].embedding) == 16


def test_embedding_of_tokens(client, server, embedding_model):
    raw = server.ask("POST", "/v1/embeddings", {"model": embedding_model, "input": [[2000, 2001], [2002]],
                                                "encoding_format": "base64"}).json()
    assert len(raw["data"]) == 2
    data = base64.b64decode(raw["data"][0]["embedding"])
    assert len(struct.unpack(f"<{len(data) // 4}f", data)) > 100


def test_roles_are_not_mixed_up(client, embedding_model):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model=embedding_model, messages=[{"role": "user", "content": "hi"}])
    assert error.value.param == "model"


# --- responses ---

def respond(client, asked, **fields):
    return client.responses.create(model="", input=asked, **{"temperature": 0, "max_output_tokens": 60, **fields})


def test_response(client):
    answer = respond(client, "What is the capital of France? Answer in one sentence.")
    assert answer.status == "completed" and "Paris" in answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert client.responses.retrieve(answer.id).output_text == answer.output_text
    items = client.responses.input_items.list(answer.id).data
    assert items[0].content[0].text.startswith("What is the capital")
    client.responses.delete(answer.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


def test_response_goes_on(client):
    first = respond(client, "My name is Ada. Say hello.", instructions="Be brief.")
    second = respond(client, "What is my name?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    unkept = respond(client, "Hi", store=False)
    with pytest.raises(openai.BadRequestError) as error:
        respond(client, "And?", previous_response_id=unkept.id)
    assert error.value.code == "previous_response_not_found"


def test_response_stream(client):
    whole = respond(client, "Name three colours.", max_output_tokens=20)
    events = list(respond(client, "Name three colours.", max_output_tokens=20, stream=True))
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert events[0].type == "response.created" and events[1].type == "response.in_progress"
    assert events[-1].type in ("response.completed", "response.incomplete")
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == whole.output_text
    assert events[-1].response.output_text == whole.output_text
    paris = "What is the capital of France? Answer in one sentence."  # the helper wants an answer that is completed
    with client.responses.stream(model="", input=paris, temperature=0, max_output_tokens=60) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == respond(client, paris).output_text


def test_response_parses(client):
    answer = client.responses.parse(model="", input="What is six times seven?", text_format=Answer, temperature=0,
                                    max_output_tokens=100)
    assert isinstance(answer.output_parsed, Answer)


def test_response_tools(client):
    first = respond(client, "What is the weather in Paris?", tools=[RESPONSE_TOOL], tool_choice="required",
                    parallel_tool_calls=False, max_output_tokens=200)
    call = next(item for item in first.output if item.type == "function_call")
    assert call.name == "get_weather" and set(json.loads(call.arguments)) == {"city", "unit"}
    second = respond(client, [{"type": "function_call_output", "call_id": call.call_id, "output": "Rain, 12 C"}],
                     previous_response_id=first.id, tools=[RESPONSE_TOOL])
    assert second.status in ("completed", "incomplete")
    events = list(respond(client, "What is the weather in Paris?", tools=[RESPONSE_TOOL], tool_choice="required",
                          parallel_tool_calls=False, max_output_tokens=200, stream=True))
    done = next(e for e in events if e.type == "response.function_call_arguments.done")
    assert done.arguments == call.arguments
    assert "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta") == call.arguments


def test_async_response(server):
    async def run():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            stream = await client.responses.create(model="", input="Hi", max_output_tokens=5, stream=True)
            return [event.type async for event in stream]

    types = asyncio.run(run())
    assert types[0] == "response.created" and types[-1].startswith("response.")
