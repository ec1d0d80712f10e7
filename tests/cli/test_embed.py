"""den embed: the installed all-MiniLM-L6-v2 against vectors that sentence-transformers made, and the verb's edges."""
import base64
import json
import math
import pathlib
import struct

import pytest

FIXTURE = json.loads((pathlib.Path(__file__).resolve().parents[1] / "fixtures/encoders/minilm.json").read_text())


def expected():
    width = FIXTURE["width"]
    data = base64.b64decode(FIXTURE["f16"])
    return [struct.unpack_from(f"<{width}e", data, 2 * width * i) for i in range(len(FIXTURE["texts"]))]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


@pytest.mark.parametrize("options", [[], ["--precision", "fp32"], ["--cpu-features", "avx2,fma,f16c", "--threads", "1"],
                                     ["--cpu-features", "scalar"]])
def test_vectors_are_those_of_sentence_transformers(den, options):
    out = json.loads(den.out("embed", "--json", *options, "--", *FIXTURE["texts"]))
    assert out["dimensions"] == 384 and len(out["vectors"]) == 20
    for text, found, want in zip(FIXTURE["texts"], out["vectors"], expected()):
        assert cosine(found, want) > 0.9999, text
        assert abs(sum(x * x for x in found) - 1) < 1e-5
    assert out["tokens"][FIXTURE["texts"].index("")] == 2
    assert max(out["tokens"]) == 256


def test_similarity_puts_the_kitten_first(den):
    lines = den.out("embed", "--similarity", "a cat on the mat", "a kitten on a rug", "tax law").splitlines()
    assert len(lines) == 2 and "kitten" in lines[0]
    assert float(lines[0].split()[0]) > 0.6 > 0.3 > float(lines[1].split()[0])
    assert den.run("embed", "--similarity", "alone").returncode == 2


def test_lines_of_standard_input(den):
    by_line = den.out("embed", "-d", "4", input="one\r\n\ntwo words").splitlines()
    operands = den.out("embed", "-d", "4", "one", "", "two words").splitlines()
    assert by_line == operands and len(by_line) == 3 and len(by_line[0].split()) == 4
    assert den.out("embed", input="") == ""


def test_a_long_text_is_cut_or_refused(den):
    text = "word " * 200_000
    assert len(den.out("embed", "-d", "2", "-", input=text).split()) == 2
    done = den.run("embed", "--no-truncate", "-", input=text)
    assert done.returncode != 0 and "256" in done.stderr


@pytest.mark.parametrize("options, word", [(["-d", "385"], "384"), (["-m", "smollm2"], "no sentence encoder"), (["-m", "/nonexistent"], "/non")])
def test_refusals(den, options, word):
    done = den.run("embed", *options, "hi")
    assert done.returncode != 0 and word in done.stderr
