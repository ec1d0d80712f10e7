"""Prompts that were read are found again: by another conversation, after a restart, and with the reason where they are not."""
import re
import stat
import time

import pytest

from conftest import serve

SYSTEM = " ".join(f"Rule {n}: answer in one short line and name rule {n * 7 % 31} if it helps." for n in range(18))


def ask(server, question, system=SYSTEM):
    answer = server.ask("POST", "/v1/chat/completions", {
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
        "temperature": 0, "max_tokens": 8}).json()
    usage = answer["usage"]
    return answer["choices"][0]["message"]["content"], usage["prompt_tokens"], \
        usage["prompt_tokens_details"]["cached_tokens"]


def prefix_files(scratch):
    return list((scratch / "home" / "prefix").glob("*.prefix"))


def wait_written(scratch):
    before = -1
    while (now := sum(f.stat().st_blocks for f in prefix_files(scratch))) != before or now == 0:
        before = now
        time.sleep(0.3)


def test_a_system_prompt_is_read_once(tmp_path):
    with serve(tmp_path, "--log-level", "debug") as server:
        first = ask(server, "What is the first rule?")
        assert first[1] > 300 and first[2] == 0
        second = ask(server, "Which rule comes last?")
        assert second[2] > first[1] - 2 * 64
        third = ask(server, "Which rule comes last?", SYSTEM.replace("Rule 14", "Law 14"))
        assert 128 < third[2] < second[2]
        wait_written(tmp_path)
    (file,) = [f for f in prefix_files(tmp_path) if f.stat().st_size > 0]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [line for line in (tmp_path / "serve.log").read_text().splitlines() if " answer " in line]
    reasons = [re.search(r'cache_miss="?([a-z ]+?)"? cache_miss_at=(\d+)', line).groups() for line in lines]
    assert reasons[0][0] == "first use" and reasons[2][0] == "differs" and 0 <= int(reasons[2][1]) - third[2] < 64
    with serve(tmp_path) as server:
        again = ask(server, "What is the first rule?")
        assert again[0] == first[0] and again[2] == (first[1] - 1) // 64 * 64
    with serve(tmp_path, "--prefix-cache", "0") as server:
        assert prefix_files(tmp_path) == []
        assert ask(server, "What is the first rule?")[2] == 0


@pytest.mark.parametrize("damage", [b"DENPREFX" + bytes(5000), b"\xff" * 100000])
def test_any_file_will_do(tmp_path, damage):
    with serve(tmp_path) as server:
        first = ask(server, "What is the first rule?")
    for file in prefix_files(tmp_path):
        file.write_bytes(damage)
    with serve(tmp_path) as server:
        again = ask(server, "What is the first rule?")
        assert again[0] == first[0] and again[2] == 0
