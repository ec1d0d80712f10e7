"""den chat, scripted through a pipe and typed into a terminal."""
import json
import os
import pty
import re
import select
import subprocess


def test_scripted_conversation_remembers(den):
    out = den.out("chat", "--temperature", "0", "-n", "30",
                  input="What is the capital of France? Answer in one sentence.\nAnd of Italy?\n")
    assert "Paris" in out and "Rome" in out


def test_commands(den):
    saved = den.scratch / "talk.json"
    done = den.run("chat", "--temperature", "0", "-n", "8",
                   input=f"/help\nHi\n/undo\nName a fruit.\n/again\n/save {saved}\n/nonsense\n/quit\nnot read\n")
    assert done.returncode == 0
    assert "/undo" in done.stdout and "/nonsense" in done.stderr
    talk = json.loads(saved.read_text())
    assert [message["role"] for message in talk] == ["user", "assistant"]
    assert talk[0]["content"] == "Name a fruit."


def test_multi_line_input(den):
    saved = den.scratch / "talk.json"
    den.out("chat", "-n", "2", input=f'one\\\ntwo\n"""\nthree\nfour\n"""\n/save {saved}\n')
    assert [m["content"].strip() for m in json.loads(saved.read_text())[::2]] == ["one\ntwo", "three\nfour"]


def test_a_turn_beyond_the_context_does_not_end_the_talk(den):
    done = den.run("chat", "--context", "256", "-n", "4", input="word " * 600 + "\nHi\n")
    assert done.returncode == 0
    assert "256" in done.stderr and done.stdout.strip()


def test_a_message_too_long_is_refused_whole(den):
    done = den.run("chat", "-n", "2", input='"""\nfirst\n' + "a" * (17 << 20) + '\n"""\n')
    assert done.returncode == 0
    assert "larger than the limit" in done.stderr
    assert done.stdout.strip() == ""


def test_a_system_prompt_of_other_bytes_is_told(den):
    done = den.run("chat", "-n", "2", "--system", os.fsdecode(b"\xff"), input="")
    assert "UTF-8" in done.stderr


def read_until(fd, wanted, collected=b""):
    """Reads until the regular expression `wanted` appears; the terminal's end of file fails the test."""
    while not re.search(wanted, collected):
        select.select([fd], [], [])
        collected += os.read(fd, 65536)
    return collected


def test_terminal_with_interrupt(den):
    main, child = pty.openpty()
    process = subprocess.Popen([den.program, "chat", "--seed", "3"], env={**den.env, "TERM": "xterm"}, stdin=child,
                               stdout=child, stderr=child, start_new_session=True,
                               preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
    os.close(child)
    read_until(main, rb"> ")
    for _ in range(5):  # an answer may be over before the interrupt comes, or not yet have begun
        os.write(main, b"Write a very long story about the sea.\n")
        read_until(main, rb"sea\.\r\n(.|\n|\r){40,}")
        os.write(main, b"\x03")
        if b"stopped]" in (told := read_until(main, rb"stopped\]|\n> ")):
            break
    assert b"stopped]" in told
    os.write(main, b"/quit\n")
    assert process.wait() == 0
    os.close(main)
