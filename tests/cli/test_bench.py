"""den bench with the tiny models of tests/fixtures: what it prints, not how fast it is."""
import json
import pathlib

MODEL = pathlib.Path(__file__).resolve().parents[1] / "fixtures/models/llama"
SHAPE = ["-m", MODEL, "--threads", 2, "--prompt", 24, "--generate", 4]


def test_measures(den):
    made = json.loads(den.out("bench", "--json", "--runs", 1, "--depth", 8, "--sequences", 2, *SHAPE))
    assert made["prompt_tokens_per_s"] > 0 and made["generated_tokens_per_s"] > 0 and made["read_gb_per_s"] > 0
    assert abs(made["bandwidth_share"] - made["achieved_gb_per_s"] / made["read_gb_per_s"]) < 1e-6


def test_takes_turns(den):
    lines = den.out("bench", "--json", "--paced", *SHAPE, input="prompt\ngenerate\nprompt\n").splitlines()
    assert len(lines) == 4
    rates = [json.loads(line)["tokens_per_s"] for line in lines[:3]]
    made = json.loads(lines[3])
    assert abs(made["prompt_tokens_per_s"] - rates[2]) < 0.01  # the last of each
    assert abs(made["generated_tokens_per_s"] - rates[1]) < 0.01


def test_knows_no_other_measurement(den):
    done = den.run("bench", "--paced", *SHAPE, input="sleep\n")
    assert done.returncode != 0 and "neither prompt nor generate" in done.stderr


def test_ablates(den):
    made = json.loads(den.out("bench", "--ablate", "--json", "--runs", 1, "--sequences", 3, "--depth", 8, *SHAPE))
    names = {row["name"] for row in made["rows"]}
    assert {"all four fusions", "prefix reuse", "all threads, not one"} <= names
    assert all(row["gain"] > 0 and row["without"]["low"] > 0 for row in made["rows"])
    heads, *lines = den.out("bench", "--ablate", "--runs", 1, "--sequences", 3, "--depth", 8, *SHAPE).splitlines()
    assert "without" in heads and len(lines) == len(made["rows"])


def test_ablates_nothing_of_one_sequence(den):
    done = den.run("bench", "--ablate", "--sequences", 1, *SHAPE)
    assert done.returncode != 0 and "two sequences" in done.stderr
