"""den tokenize and den template."""
import json

import pytest


def test_tokenize_known_ids(den):
    assert json.loads(den.out("tokenize", "--json", "Hello world")) == [19556, 905]


@pytest.mark.parametrize("text", ["", " ", "naïve 日本語 👩‍👩‍👧 \t\n", "a" * 5000, "<|im_start|>user\nhi<|im_end|>", "1234567890"])
def test_decode_gives_the_text_back(den, text):
    ids = den.out("tokenize", "--json", "-", input=text)
    assert json.loads(den.out("tokenize", "--decode", "--json", ids)) == text


def test_special_tokens_in_text_or_as_letters(den):
    assert json.loads(den.out("tokenize", "--json", "<|im_end|>")) == [2]
    assert len(json.loads(den.out("tokenize", "--json", "--literal", "<|im_end|>"))) > 1


def test_lines_show_names(den):
    assert den.out("tokenize", "Hello") == "19556\tHello\n"


def test_a_megabyte_of_one_letter(den):
    ids = json.loads(den.out("tokenize", "--json", "-", input="a" * 1_000_000))
    assert 0 < len(ids) < 1_000_000


@pytest.mark.parametrize("ids", ["[1, x]", "99999999", "-4"])
def test_decode_refuses_what_is_no_token(den, ids):
    done = den.run("tokenize", "--decode", "--", ids)
    assert done.returncode == 2
    assert done.stderr


def messages_file(den, messages):
    path = den.scratch / "messages.json"
    path.write_text(json.dumps(messages))
    return path


def test_template_of_the_model(den):
    path = messages_file(den, [{"role": "user", "content": "Hi"}])
    assert den.out("template", "--messages", path) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert den.out("template", "--no-generation-prompt", "--messages", path).endswith("Hi<|im_end|>\n")


def test_template_from_a_file_with_tools(den):
    template = den.scratch / "t.jinja"
    template.write_text("{{ tools[0].function.name }}:{% for m in messages %}{{ m.content | upper }}{% endfor %}")
    tools = den.scratch / "tools.json"
    tools.write_text('[{"type": "function", "function": {"name": "clock"}}]')
    path = messages_file(den, [{"role": "user", "content": "hi"}])
    assert den.out("template", "--file", template, "--tools", tools, "--messages", path) == "clock:HI"


@pytest.mark.parametrize("code, content, cause", [
    (6, "{", "malformed JSON"), (2, "{}", "array"), (2, '[{"role": "user"}]', "content"),
    (2, '[{"content": "x"}]', "role"), (2, "[1]", "message")])
def test_bad_conversations(den, code, content, cause):
    path = den.scratch / "messages.json"
    path.write_text(content)
    done = den.run("template", "--messages", path)
    assert done.returncode == code
    assert cause in done.stderr


def test_template_that_would_not_end(den):
    template = den.scratch / "t.jinja"
    template.write_text("{% for i in range(90000) %}{% for j in range(90000) %}x{% endfor %}{% endfor %}")
    done = den.run("template", "--file", template, "--messages", messages_file(den, []))
    assert done.returncode == 5
    assert "steps" in done.stderr
