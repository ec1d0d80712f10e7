#!/usr/bin/env python3
"""Structured output beside xgrammar, in turn on the same schemas, vocabulary and tokens: prints JSON.

    bench/grammar.py BENCH_GRAMMAR MODEL.gguf [--tokens 256000] [--rounds 20] [--alone]

Runs in a Python that has xgrammar, gguf and numpy; BENCH_GRAMMAR is the program that bench/grammar.c makes. Schemas and
texts are those of tests/quality/schemas.json, their texts filled up with prose. --tokens pads the vocabulary with joined
pairs of its own tokens, for the size that recent models have. Each round compiles the grammar anew and starts with nothing
cached, as a request does; a mask's time is its computation and the step by the token that follows. Times are processor
time. --alone leaves xgrammar out.
"""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

import gguf
import numpy
import xgrammar

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROSE = ("The committee met on Tuesday to discuss the budget; nobody agreed, though everyone had an opinion. "
         "Later, in the café, they settled on three points and left.")


def byte_letters():
    """GPT-2's letters for bytes."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    rest = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + index) for index, byte in enumerate(rest)}}


def read_vocabulary(path, size):
    fields = gguf.GGUFReader(path).fields
    names = [bytes(fields["tokenizer.ggml.tokens"].parts[part]).decode() for part in fields["tokenizer.ggml.tokens"].data]
    kinds = [int(fields["tokenizer.ggml.token_type"].parts[part][0]) for part in fields["tokenizer.ggml.token_type"].data]
    end = int(fields["tokenizer.ggml.eos_token_id"].parts[-1][0])
    dice = random.Random(5)
    known = set(names)
    normal = [name for name, kind in zip(names, kinds) if kind == 1]
    while len(names) < size:
        name = dice.choice(normal) + dice.choice(normal)
        if name not in known:
            known.add(name)
            names.append(name)
            kinds.append(1)
    return names, kinds, end


def write_tokenizer(names, kinds, end, path):
    added = [{"id": index, "content": name, "special": True, "normalized": False, "single_word": False, "lstrip": False,
              "rstrip": False} for index, (name, kind) in enumerate(zip(names, kinds)) if kind != 1]
    path.write_text(json.dumps({
        "added_tokens": added, "normalizer": None, "post_processor": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "vocab": {name: index for index, name in enumerate(names)}, "merges": []}}))


def cut(text, numbers, longest):
    """Longest match first: a possible way to write the text, the same for both."""
    letters = byte_letters()
    rest, tokens = "".join(letters[byte] for byte in text.encode()), []
    while rest:
        length = next(length for length in range(min(longest, len(rest)), 0, -1) if rest[:length] in numbers)
        tokens.append(numbers[rest[:length]])
        rest = rest[length:]
    return tokens


def fill(value):
    """Free strings become prose."""
    return json.dumps(value, ensure_ascii=False).replace('"explanation": "a"', f'"explanation": "{PROSE}"').replace(
        '"body": ""', f'"body": "{PROSE}"').replace('"label": "a"', f'"label": "{PROSE}"').replace(
        '"location": "Paris, France"', f'"location": "{PROSE}"')


def rival(lines, names, kinds, end, rounds):
    info = xgrammar.TokenizerInfo(names, vocab_type=xgrammar.VocabType.BYTE_LEVEL, vocab_size=len(names),
                                  stop_token_ids=[end])
    results = []
    for line in lines:
        masks, compiles, refused = [], [], None
        for _ in range(rounds):
            compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
            start = time.thread_time()
            try:
                grammar = compiler.compile_json_schema(json.dumps(line["schema"]), any_whitespace=True, strict_mode=False)
            except Exception as error:
                refused = str(error)[:200]
                break
            compiles.append((time.thread_time() - start) * 1e6)
            matcher = xgrammar.GrammarMatcher(grammar)
            bitmask = xgrammar.allocate_token_bitmask(1, len(names))
            for token in line["tokens"]:
                start = time.thread_time()
                matcher.fill_next_token_bitmask(bitmask)
                taken = matcher.accept_token(token)
                masks.append((time.thread_time() - start) * 1e6)
                if not taken:
                    refused = f"token {names[token]!r} of a valid text"
                    break
        results.append({"mask_us": masks, "compile_us": compiles, "refused": refused})
    return results


def summary(results):
    masks = numpy.array([value for result in results for value in result["mask_us"]])
    compiles = numpy.array([value for result in results for value in result["compile_us"]])
    return {"mask_us_median": round(float(numpy.median(masks)), 2), "mask_us_mean": round(float(masks.mean()), 2),
            "mask_us_p99": round(float(numpy.percentile(masks, 99)), 2), "mask_us_max": round(float(masks.max()), 1),
            "compile_ms_median": round(statistics.median(compiles) / 1e3, 3),
            "compile_ms_max": round(float(compiles.max()) / 1e3, 3), "masks": len(masks)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()

    names, kinds, end = read_vocabulary(options.model, options.tokens)
    numbers = {name: index for index, (name, kind) in enumerate(zip(names, kinds)) if kind == 1}
    longest = max(map(len, numbers))
    cases = json.loads((ROOT / "tests/quality/schemas.json").read_text())
    lines = [{"name": case["name"], "schema": case["schema"],
              "tokens": cut(fill(json.loads(case["accept"][0])), numbers, longest)} for case in cases]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "tokenizer.json"
        write_tokenizer(names, kinds, end, path)
        done = subprocess.run([options.program, str(path), str(options.rounds)], text=True, capture_output=True,
                              input="".join(json.dumps(line) + "\n" for line in lines))
    if done.returncode:
        raise SystemExit(done.stderr)
    first, *own = [json.loads(line) for line in done.stdout.splitlines()]
    if options.alone:
        print(json.dumps({"vocabulary": len(names), "den_vocabulary_ms": round(first["vocabulary_ms"], 1),
                          "den": summary(own),
                          "schemas": {line["name"]: summary([ours]) for line, ours in zip(lines, own)}}, indent=1))
        return
    theirs = rival(lines, names, kinds, end, options.rounds)
    print(json.dumps({
        "vocabulary": len(names), "den_vocabulary_ms": round(first["vocabulary_ms"], 1), "den": summary(own),
        "xgrammar_version": getattr(xgrammar, "__version__", "?"), "xgrammar": summary(theirs),
        "schemas": {line["name"]: {"den": summary([ours]), "xgrammar": summary([other]) if other["mask_us"] else None,
                                   "xgrammar_refused": other["refused"]}
                    for line, ours, other in zip(lines, own, theirs)}}, indent=1))


if __name__ == "__main__":
    main()
