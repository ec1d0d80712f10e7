// OpenAI's package for Node against a running Den (DEN_URL): each surface, whole and streamed.
import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.DEN_URL}/v1`, apiKey: "none", maxRetries: 0 });
const models = (await client.models.list()).data;
const model = models.find((entry) => entry.den.role === "chat").id;
const messages = [{ role: "user", content: "What is the capital of France? Answer in one sentence." }];
const tool = {
    type: "function",
    function: {
        name: "get_weather",
        parameters: {
            type: "object",
            properties: { city: { type: "string", maxLength: 20 } },
            required: ["city"],
            additionalProperties: false,
        },
    },
};

test("a chat, whole and streamed, says the same", async () => {
    const whole = await client.chat.completions.create({ model, messages, temperature: 0 });
    const stream = await client.chat.completions.create({ model, messages, temperature: 0, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
    assert.match(whole.choices[0].message.content, /Paris/);
    assert.equal(text, whole.choices[0].message.content);
});

test("the stream helper gathers the answer", async () => {
    const runner = client.chat.completions.stream({ model, messages, temperature: 0, max_tokens: 20 });
    const final = await runner.finalChatCompletion();
    assert.ok(final.choices[0].message.content.length > 0);
});

test("a stream that is left ends", async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 500 });
    for await (const chunk of stream) {
        assert.equal(chunk.object, "chat.completion.chunk");
        break;
    }
    stream.controller.abort();
});

test("a tool is called, and its result is read", async () => {
    const asked = [{ role: "user", content: "What is the weather in Rome?" }];
    const first = await client.chat.completions.create({
        model, messages: asked, tools: [tool], tool_choice: "required", parallel_tool_calls: false, temperature: 0,
    });
    const call = first.choices[0].message.tool_calls[0];
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const second = await client.chat.completions.create({
        model, tools: [tool], temperature: 0, max_tokens: 30,
        messages: [...asked, first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "Sun, 24 C" }],
    });
    assert.ok(second.choices[0].message);
});

test("an answer keeps to its schema", async () => {
    const schema = {
        type: "object", properties: { colour: { enum: ["red", "green"] } }, required: ["colour"],
        additionalProperties: false,
    };
    const answer = await client.chat.completions.parse({
        model, messages: [{ role: "user", content: "A colour?" }],
        response_format: { type: "json_schema", json_schema: { name: "colour", strict: true, schema } },
    });
    assert.ok(["red", "green"].includes(JSON.parse(answer.choices[0].message.content).colour));
});

test("a text goes on", async () => {
    const answer = await client.completions.create({ model, prompt: "The capital of France is", max_tokens: 8, temperature: 0 });
    assert.match(answer.choices[0].text, /Paris/);
});

test("texts become vectors", async (context) => {
    const entry = models.find((other) => other.den.role === "embedding");
    if (!entry) return context.skip("no embedding model is installed");
    const answer = await client.embeddings.create({ model: entry.id, input: ["one", "two"] });
    assert.equal(answer.data.length, 2);
    assert.ok(Math.abs(answer.data[0].embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-3);
});

test("a response goes on from another", async () => {
    const first = await client.responses.create({ model, input: "My name is Ada.", max_output_tokens: 20, temperature: 0 });
    const second = await client.responses.create({
        model, input: "What is my name?", previous_response_id: first.id, max_output_tokens: 20, temperature: 0,
    });
    assert.ok(second.usage.input_tokens > first.usage.input_tokens);
    const types = [];
    const stream = await client.responses.create({ model, input: "Hi", max_output_tokens: 5, stream: true });
    for await (const event of stream) types.push(event.type);
    assert.equal(types[0], "response.created");
    assert.ok(["response.completed", "response.incomplete"].includes(types.at(-1)));
});

test("errors are of their kinds", async () => {
    await assert.rejects(client.chat.completions.create({ model: "gpt-4o", messages }), OpenAI.NotFoundError);
    await assert.rejects(client.chat.completions.create({ model, messages, temperature: 9 }), (error) =>
        error instanceof OpenAI.BadRequestError && error.param === "temperature");
});
