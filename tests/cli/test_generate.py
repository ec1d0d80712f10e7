"""den generate: answers, figures, stopping, reproducibility."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

QUESTION = "What is the capital of France? Answer in one sentence."


def generate(den, *arguments, **options):
    return json.loads(den.out("generate", "--json", *arguments, **options))


def test_answers_a_question(den):
    assert "Paris" in den.out("generate", "--temperature", "0", QUESTION)


def test_json_has_text_tokens_and_timings(den):
    answer = generate(den, "--temperature", "0", QUESTION)
    assert "Paris" in answer["text"]
    assert answer["finish_reason"] == "stop"
    # the end token is among the generated ones, or not, but no other may be missing
    assert answer["generated_tokens"] - len(answer["tokens"]) in (0, 1)
    assert answer["prompt_tokens"] > 20
    assert answer["load_s"] > 0 and answer["prompt_s"] > 0 and answer["generate_s"] > 0


def test_a_system_prompt_of_other_bytes_is_refused(den):
    done = den.run("generate", "--system", os.fsdecode(b"\xff"), "Hi")
    assert done.returncode != 0
    assert "UTF-8" in done.stderr


def test_max_tokens_ends_with_length(den):
    answer = generate(den, "--raw", "--temperature", "0", "-n", "7", "Once upon a time")
    assert answer["generated_tokens"] == 7
    assert answer["finish_reason"] == "length"


def test_same_seed_same_answer_and_other_seed_another(den):
    first, again, other = (generate(den, "-n", "24", "--seed", seed, "Tell me a story.")["text"] for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_random_seed_is_reported_and_repeats(den):
    first = generate(den, "-n", "16", "Tell me a story.")
    assert generate(den, "-n", "16", "--seed", first["seed"], "Tell me a story.")["text"] == first["text"]


def test_threads_and_batching_do_not_change_a_greedy_answer(den):
    one, two = (generate(den, "--temperature", "0", "--threads", n, "-n", "24", QUESTION)["tokens"] for n in (1, 2))
    assert one == two


def test_stop_string_is_not_part_of_the_text(den):
    whole = generate(den, "--temperature", "0", QUESTION)["text"]
    middle = whole[8:14]
    cut = generate(den, "--temperature", "0", "--stop", middle, QUESTION)
    assert cut["text"] == whole[:whole.index(middle)]
    assert cut["finish_reason"] == "stop"


def test_logprobs_name_the_chosen_token_first(den):
    answer = generate(den, "--temperature", "0", "-n", "6", "--logprobs", "3", QUESTION)
    assert len(answer["logprobs"]) == len(answer["tokens"])
    for step, token in zip(answer["logprobs"], answer["tokens"]):
        assert step["id"] == token == step["top"][0]["id"]
        assert step["logprob"] <= 0
        values = [item["logprob"] for item in step["top"]]
        assert values == sorted(values, reverse=True) and len(values) == 3


def test_prompt_from_standard_input(den):
    assert "Paris" in den.out("generate", "--temperature", "0", "-", input=QUESTION)


def test_fp32_precision_answers_too(den):
    assert "Paris" in den.out("generate", "--temperature", "0", "--precision", "fp32", QUESTION)


@pytest.mark.parametrize("features", ["scalar", "avx2,fma,f16c"])
def test_older_processors(den, features):
    done = den.run("generate", "--temperature", "0", "-n", "8", "--cpu-features", features, "--json", QUESTION)
    if done.returncode == 7 and features != "scalar":
        pytest.skip("this machine has no AVX2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"].startswith("The capital")


def test_system_message_and_preset(den):
    answer = generate(den, "--preset", "classify", "--system", "Answer with one word.", "-n", "8", "Is 7 a number?")
    assert answer["generated_tokens"] <= 8


def test_prompt_longer_than_the_context_says_both_lengths(den):
    done = den.run("generate", "--raw", "--context", "64", "-", input="word " * 500)
    assert done.returncode == 5
    assert "64" in done.stderr and "50" in done.stderr
    assert done.stdout == ""


def test_interrupt_ends_with_130(den):
    process = subprocess.Popen([den.program, "generate", "--raw", "--seed", "1", "Once upon a time"], env=den.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait() == 130


def test_full_disk_is_an_error(den):
    with open("/dev/full", "w") as full:
        done = subprocess.run([den.program, "generate", "-n", "4", "--json", "hi"], env=den.env, stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 9
    assert "standard output" in done.stderr


def test_a_schema_holds_the_answer(den):
    schema = {"type": "object", "required": ["city", "rating"], "additionalProperties": False,
              "properties": {"city": {"enum": ["Paris", "Rome"]}, "rating": {"type": "integer", "minimum": 3, "maximum": 5}}}
    path = den.scratch / "schema.json"
    path.write_text(json.dumps(schema))
    answer = json.loads(generate(den, "--temperature", "1.5", "--seed", "4", "--json-schema", path, "Tell me a story.")["text"])
    assert list(answer) == ["city", "rating"]
    assert answer["city"] in ("Paris", "Rome") and answer["rating"] in (3, 4, 5)


def test_a_grammar_holds_the_answer(den):
    path = den.scratch / "answer.gbnf"
    path.write_text('root ::= ("yes" | "no") ", " [a-z]{3,9} "!"')
    for seed in (1, 2):
        text = generate(den, "--temperature", "1.5", "--seed", seed, "--grammar", path, QUESTION)["text"]
        assert re.fullmatch("(yes|no), [a-z]{3,9}!", text)


def test_a_schema_that_is_not_supported_is_named(den):
    path = den.scratch / "schema.json"
    path.write_text('{"properties": {"a": {"not": {"type": "string"}}}}')
    done = den.run("generate", "--json-schema", path, QUESTION)
    assert done.returncode != 0
    assert "#/properties/a/not" in done.stderr
