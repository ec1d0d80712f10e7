"""Holds the fit formula against the peak memory (VmHWM) of real worker processes: the installed models, and generated
ones of several shapes and types, each with a prompt that fills a good part of its context."""
import json
import pathlib
import random

import gguf
import numpy as np
import pytest
from conftest import MODEL, default_home, serve
from workers import workers

WITHIN = 0.10
TYPES = gguf.GGMLQuantizationType
# layers, width, heads, kv heads, ffn width, head width; type; context; is the matrix of logits the table of words
SHAPES = {
    "wide-q8_0": ((6, 1024, 16, 4, 3072, 64), TYPES.Q8_0, 2048, True),
    "untied-f16": ((6, 512, 8, 2, 1536, 64), TYPES.F16, 2048, False),
    "deep-q4_0": ((20, 512, 8, 8, 1536, 64), TYPES.Q4_0, 2048, True),
    "heads-q6_k": ((4, 1024, 8, 2, 2816, 128), TYPES.Q6_K, 1024, True),
    "plain-f32": ((4, 384, 6, 6, 1024, 64), TYPES.F32, 1024, True),
}


def fields(writer, source):
    for field in source.fields.values():
        if not field.name.startswith("tokenizer."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(field.name, field.contents())
        else:
            writer.add_key_value(field.name, field.contents(), field.types[0])


def quantized(rows, columns, kind, rng):
    """Rows of valid blocks; what they mean does not matter here."""
    few = (rng.standard_normal((64, columns), dtype=np.float32) / np.sqrt(columns)).astype(np.float32)
    if kind == TYPES.F16:
        few = few.astype(np.float16)
    elif kind != TYPES.F32:
        try:
            few = gguf.quants.quantize(few, kind)
        except NotImplementedError:  # all zeros are valid blocks of any type
            block, size = gguf.GGML_QUANT_SIZES[kind]
            few = np.zeros((64, columns // block * size), dtype=np.uint8)
    return np.tile(few, (-(-rows // 64), 1))[:rows]


def generate(path, shape, kind, context, tied, vocabulary):
    layers, width, heads, kv_heads, ffn, head = shape
    source = gguf.GGUFReader(vocabulary)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(1e-5)
    fields(writer, source)
    words = len(source.fields["tokenizer.ggml.tokens"].contents())
    rng = np.random.default_rng(1)

    def matrix(name, rows, columns):
        data = quantized(rows, columns, kind, rng)
        writer.add_tensor(name, data, raw_dtype=kind if data.dtype == np.uint8 else None)

    matrix("token_embd.weight", words, width)
    if not tied:
        matrix("output.weight", words, width)
    writer.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    for i in range(layers):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{i}.{name}.weight", np.ones(width, dtype=np.float32))
        for name, rows, columns in (("attn_q", heads * head, width), ("attn_k", kv_heads * head, width),
                                    ("attn_v", kv_heads * head, width), ("attn_output", width, heads * head),
                                    ("ffn_gate", ffn, width), ("ffn_up", ffn, width), ("ffn_down", width, ffn)):
            matrix(f"blk.{i}.{name}.weight", rows, columns)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def peak_bytes(server):
    (worker,) = workers(server)
    for line in pathlib.Path(f"/proc/{worker}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def estimate(server, name, context=0):
    return server.ask("POST", "/api/fit", {"source": name, "context": context}).json()


def compare(server, name, context):
    peak = peak_bytes(server)
    fit = estimate(server, name, context)
    ratio = fit["memory_bytes"] / peak
    print(f"{name}: {fit['memory_bytes'] / 2**20:.1f} MiB estimated, {peak / 2**20:.1f} MiB measured, {ratio:.3f}")
    assert 1 - WITHIN < ratio < 1 + WITHIN, name
    return fit


def read_prompt(server, tokens):
    random.seed(tokens)
    prompt = [random.randrange(20, 40000) for _ in range(tokens)]
    answer = server.ask("POST", "/completion", {"prompt": prompt, "n_predict": 16, "temperature": 0, "ignore_eos": True})
    assert answer.http == 200, answer.body


def vocabulary_model():
    found = sorted((default_home() / "models" / "smollm2").glob("*.gguf"))
    if not found:
        pytest.skip("needs the default model's vocabulary")
    return found[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_models_take_what_was_estimated(shape, tmp_path):
    path = tmp_path / f"{shape}.gguf"
    generate(path, *SHAPES[shape], vocabulary_model())
    with serve(tmp_path, "-m", path) as server:
        context = SHAPES[shape][2]
        read_prompt(server, context - 100)
        fit = compare(server, path.name, context)
        assert fit["verdict"] in ("fits", "tight", "too large") and fit["why"]
        assert fit["context_tokens"] <= context


@pytest.mark.parametrize("tokens", [500, 4000])
def test_the_default_model_takes_what_was_estimated(tokens, tmp_path):
    with serve(tmp_path) as server:
        before = estimate(server, MODEL, tokens + 16)
        read_prompt(server, tokens)
        after = compare(server, MODEL, tokens + 16)
        assert abs(before["memory_bytes"] - after["memory_bytes"]) < 0.02 * after["memory_bytes"]


def test_the_embedding_model_takes_what_was_estimated(tmp_path):
    if not (default_home() / "models" / "all-minilm").exists():
        pytest.skip("needs the default embedding model")
    vocabulary = json.loads((default_home() / "models" / "all-minilm" / "tokenizer.json").read_text())["model"]["vocab"]
    words = sorted(word for word in vocabulary if word.isascii() and word.isalpha())
    random.seed(1)
    with serve(tmp_path) as server:
        (chat,) = workers(server)
        texts = [" ".join(random.choices(words, k=150)) for _ in range(64)]  # a page of the table for each word
        assert server.ask("POST", "/api/embed", {"model": "all-minilm", "input": texts, "truncate": True}).http == 200
        fit = estimate(server, "all-minilm")
        (own,) = [one for one in workers(server) if one != chat]
        lines = pathlib.Path(f"/proc/{own}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
        print(f"all-minilm: {fit['memory_bytes'] / 2**20:.1f} MiB estimated, {peak / 2**20:.1f} MiB measured")
        assert 1 - WITHIN < fit["memory_bytes"] / peak < 1 + WITHIN
        assert fit["tokens_per_s"] is None


def test_a_larger_context_needs_more_and_a_huge_one_does_not_fit(tmp_path):
    with serve(tmp_path) as server:
        small, large = (estimate(server, MODEL, tokens)["memory_bytes"] for tokens in (512, 8192))
        assert large > small + 7000 * 23040 * 0.95  # its keys and values: 30 layers, 3 heads, 64 + 64 halves
    with serve(tmp_path, "--memory", 150) as server:
        fit = estimate(server, MODEL, 8192)
        assert fit["verdict"] == "tight" and 512 <= fit["context_tokens"] < 8192 and str(fit["context_tokens"]) in fit["why"]
        assert estimate(server, "mistral-7b")["verdict"] == "too large"
