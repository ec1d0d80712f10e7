"""README's rows on serving and on what each part brings. The records are made by the programs' own functions from made-up
measurements, go through bench/history.py as a pipe would bring them, and are read back by bench/readme_table.py."""
import argparse
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True

import end_to_end  # noqa: E402
import history  # noqa: E402
import measure  # noqa: E402
import mixed_load  # noqa: E402
import neighbour  # noqa: E402
import prefix  # noqa: E402
import readme_table  # noqa: E402
import speculation  # noqa: E402
import switch  # noqa: E402

COMMAND = ["end_to_end", "mixed_load", "neighbour", "prefix", "speculation", "switch"]


def head(what):
    return {**measure.stamp(what, 2), "machine": {"cpu": "A Processor", "cores": 2, "threads": 2, "load_average": 0.3}}


def made_end_to_end():
    def runs(*seconds, **more):
        return [{"first_token_s": s / 4, "answer_s": s, "prompt_tokens": 512, "generated_tokens": 64, **more} for s in seconds]
    engines = {"den": runs(1.0, 1.2, 1.1), "llama.cpp, flash attention off": runs(4.0, 4.8, 4.4, version="0.3.36"),
               "llama.cpp, flash attention on": runs(3.0, 3.6, 3.3, version="0.3.36"),
               "transformers float32": runs(9.0, 10.8, 9.9, version="5.1")}
    a = argparse.Namespace(model="some/where/small.gguf", generate=64, rounds=3)
    return end_to_end.figures_of(a, head("end_to_end"), engines, {511, 512})


def made_mixed_load():
    def run(speed):
        return {"total_s": 9.0, "tokens_per_s": speed, "tokens": 900, "first_token_s": 0.5, "first_token_s_max": 1.0,
                "longest_stall_s": 0.2, "utilisation": speed / 800}
    ways = {"one_at_a_time": [run(200), run(100)], "together": [run(600), run(600)]}
    a = argparse.Namespace(model="smollm2", requests=32, parallel=32, rounds=2)
    return mixed_load.figures_of(a, head("mixed_load"), [800.0, 800.0], ways, 0.7)


def made_prefix(last="a page"):
    def answer(seconds, cached, text="a page"):
        return {"seconds": seconds, "text": text, "prompt_tokens": 2019, "cached_tokens": cached}
    rounds = [{"first": answer(2.0, 0), "second": answer(0.05, 2000), "again": answer(0.04, 2016),
               "restarted": answer(0.05, 2000, last), "file_bytes": 2**20} for _ in range(3)]
    a = argparse.Namespace(model="smollm2", rounds=3, threads=2)
    return prefix.figures_of(a, head("prefix"), rounds)


def made_switch(folder, rivals=True, was="loaded"):
    models = [folder / "small.gguf", folder / "large.gguf"]
    for i, path in enumerate(models):
        path.write_bytes(b"x" * (i + 1) * 2**20)
    switches = [{"model": f"model{i % 2}", "was": was if i % 2 else "resident", "switch_ms": 20.0 + i % 2, "token_ms": 9.0,
                 "text": "x", "packed": "mapped", "memory_mib": 500.0, "awake": 2} for i in range(100)]
    a = argparse.Namespace(models=[str(path) for path in models], packed="all", budget=1000)
    times = {"version": "0.3.36", "times": [[0, 0.05], [1, 0.21]]} if rivals else {}
    return switch.figures_of(a, head("switch"), switches, [], times)


def made_speculation(rival=True):
    def row(plain, guessed, **more):
        return {"prompt": "ring.c", "plain": measure.summary([plain]), "guessed": measure.summary([guessed]),
                "ratio": measure.ratios([guessed], [plain]), **more}
    kinds = {"edit": [row(100, 180), row(100, 200), row(100, 220)], "prose": [row(100, 101)]}
    if rival:
        kinds["rival_edit"] = [row(50, 60, version="0.3.36")]
    return speculation.figures_of(argparse.Namespace(model="smollm2", rounds=1), head("speculation"), kinds)


def made_neighbour(rival=True):
    rates = {"den": ([100, 100, 100], [60, 70, 65])}
    if rival:
        rates["llama.cpp"] = ([50, 50, 50], [15, 14, 13])
    a = argparse.Namespace(model="small.gguf", busy=1, floating=False, pin=False, rounds=3)
    return neighbour.figures_of(a, head("neighbour"), rates, {"den": "0.1.0", "llama.cpp": "0.3.36"})


def figure(median):
    return {"median": median, "low": median - 1, "high": median + 1}


ABLATED = {"engine": "den", "version": "0.1.0", "model": "models/small.gguf", "prompt": 512, "generate": 64,
           "sequences": 16, "depth": 256, "rounds": 5, "rows": [
               {"name": "all four fusions", "figure": "decode", "with": figure(150.25), "without": figure(120.2),
                "gain": 1.25},
               {"name": "vector kernels, not scalar ones", "figure": "prefill", "with": figure(900.1),
                "without": figure(3.66), "gain": 245.93}]}


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "HISTORY", tmp_path / "history")
    return tmp_path


def pipe(monkeypatch, text, *arguments):
    monkeypatch.setattr(sys, "argv", ["history.py", *arguments])
    monkeypatch.setattr(sys, "stdin", argparse.Namespace(read=lambda: text))
    history.main()


def printed(figures, capsys):
    assert measure.hand_out(figures, "-")
    return capsys.readouterr().out


def row(what):
    """Cells of the one row that is there after `what` was added."""
    lines = readme_table.text("parts").splitlines()
    assert lines[0] == "### Serving" and len(lines) == 6, lines
    cells = [cell.strip() for cell in lines[5].strip("|").split("|")]
    assert len(cells) == 6 and cells[4] == "0.3 on 2 cores" and cells[5].startswith(f"`bench/{what}.py")
    return cells


def test_nothing_without_records():
    assert readme_table.text("parts") == ""
    history.add({**ABLATED, **head("ablate"), "rows": []})
    assert readme_table.text("parts") == ""


def test_end_to_end_is_beside_the_better_way_of_each_peer(monkeypatch, capsys):
    pipe(monkeypatch, printed(made_end_to_end(), capsys))
    cells = row("end_to_end")
    assert cells[1] == "1.10 (1.00 to 1.20); first token 0.28"
    assert cells[2] == ("llama.cpp, flash attention on of llama-cpp-python 0.3.36: 3.30 (3.00 to 3.60); "
                        "transformers float32 5.1: 9.90 (9.00 to 10.80)")
    assert cells[3] == "3.00x; 9.00x" and cells[5] == "`bench/end_to_end.py --text TEXT -m small.gguf`"


def test_mixed_load_is_beside_one_at_a_time(monkeypatch, capsys):
    pipe(monkeypatch, printed(made_mixed_load(), capsys))
    cells = row("mixed_load")
    assert cells[1] == "600 (600 to 600), 75 % of the most that the engine computes"
    assert cells[2:4] == ["Den, one at a time: 150 (100 to 200)", "4.50x"]  # neighbours' 3 and 6, not 600 over 150


def test_prefix_is_beside_the_first_time(monkeypatch, capsys):
    pipe(monkeypatch, printed(made_prefix(), capsys))
    assert row("prefix")[1:4] == ["50, 2,000 tokens from the file", "Den, the first time: 2000", "40.0x"]
    history.add(made_prefix("another page"))
    assert "answers differ" in row("prefix")[1]


def test_switch_is_of_the_largest_model_that_slept(monkeypatch, capsys, scratch):
    pipe(monkeypatch, printed(made_switch(scratch), capsys))
    cells = row("switch")
    assert cells[0] == "switching to large.gguf (2 MiB, asleep) from another model inside 1,000 MiB, ms"
    assert cells[1] == "21.0 (99 of 100 within 21.0); 100 switches, 0 failures"
    assert cells[2:4] == ["llama.cpp of llama-cpp-python 0.3.36: 210.0", "10.0x"]
    assert cells[5] == "`bench/switch.py small.gguf large.gguf --budget 1000`"
    history.add(made_switch(scratch, rivals=False, was="resident"))
    cells = row("switch")
    assert "(2 MiB, awake)" in cells[0] and cells[2:4] == ["", ""]


def test_speculation_is_beside_no_guesses(monkeypatch, capsys):
    pipe(monkeypatch, printed(made_speculation(), capsys))
    cells = row("speculation")
    assert cells[1] == "200; prose 1.01x of without" and cells[3] == "2.00x"
    assert cells[2] == ("Den without guesses: 100; llama.cpp of llama-cpp-python 0.3.36: 60 with prompt lookup, "
                        "1.20x of without")
    history.add(made_speculation(rival=False))
    assert row("speculation")[2] == "Den without guesses: 100"


def test_neighbour_is_beside_what_the_peer_keeps(monkeypatch, capsys):
    pipe(monkeypatch, printed(made_neighbour(), capsys))
    cells = row("neighbour")
    assert cells[1] == "65 % (60 to 70)"
    assert cells[2:4] == ["llama.cpp of llama-cpp-python 0.3.36: 28 % (26 to 30)", "2.50x"]  # 2, 2.5, 2.5 by round
    history.add(made_neighbour(rival=False))
    assert row("neighbour")[2:4] == ["", ""]


def test_what_each_part_brings(monkeypatch):
    pipe(monkeypatch, json.dumps(ABLATED) + "\n", "--what", "ablate")
    line = history.newest("ablate")
    assert line["model"] == "small.gguf" and line["commit"] and line["machine"]["cpu"]
    made = readme_table.text("parts")
    assert made.startswith("### What each part brings\n") and "models/" not in made
    assert "| all four fusions | decode | 150 (149 to 151) | 120 (119 to 121) | 1.25x |" in made
    assert "| 900 (899 to 901) | 3.7 (2.7 to 4.7) | 245.93x |" in made
    assert "`den bench --ablate -m small.gguf --runs 5`" in made and line["commit"] in made


def test_sections_stand_between_their_marks():
    begin, end = readme_table.BEGIN, readme_table.END
    readme = f"A\n{begin.format('figures')}old\n{end}B\n{begin.format('parts')}old\n{end}C\n"
    expected = f"A\n{begin.format('figures')}No figures yet.\n{end}B\n{begin.format('parts')}{end}C\n"
    assert readme_table.filled(readme) == expected == readme_table.filled(expected)
    history.add(made_neighbour())
    assert "### Serving" in readme_table.filled(expected).split("B\n")[1]
    with pytest.raises(SystemExit, match="writes parts"):
        readme_table.filled(readme.replace("parts", "others"))


def test_no_figures_are_no_record(monkeypatch, scratch):
    with pytest.raises(SystemExit, match="no figures came"):
        pipe(monkeypatch, "a program that failed\n", "--what", "ablate")
    with pytest.raises(SystemExit, match="give --what"):
        pipe(monkeypatch, json.dumps(ABLATED) + "\n")
    assert not (scratch / "history").exists()


def test_figures_go_to_a_file_or_to_standard_output(scratch, capsys):
    assert not measure.hand_out({"a": 1}, None) and not measure.hand_out({"a": 1}, str(scratch / "made.json"))
    assert capsys.readouterr().out == "" and json.loads((scratch / "made.json").read_text()) == {"a": 1}
    parser = argparse.ArgumentParser()
    measure.json_option(parser)
    assert [parser.parse_args(given).json for given in ([], ["--json"], ["--json", "-"], ["--json", "x"])] == [
        None, "-", "-", "x"]


@pytest.mark.parametrize("name", COMMAND)
def test_every_program_takes_the_same_option(name):
    done = subprocess.run([sys.executable, "-B", ROOT / f"bench/{name}.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--json [FILE]" in done.stdout, done.stderr
