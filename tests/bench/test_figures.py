"""What bench/ does with figures: summaries, ratios of neighbours, the history and the tables made from it."""
import json
import pathlib
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
sys.dont_write_bytecode = True

import compare  # noqa: E402
import history  # noqa: E402
import measure  # noqa: E402
import mixed_load  # noqa: E402
import readme_table  # noqa: E402


def test_ratios_are_of_neighbours():
    ours, theirs = [10, 20, 40], [5, 20, 10]  # the medians' ratio would be 2
    assert measure.ratios(ours, theirs) == {"median": 2.0, "low": 1.0, "high": 4.0}
    assert measure.ratios([30, 1, 1], [10, 10, 10])["median"] == 0.1
    assert measure.ratios([1, 2], [0, 4])["median"] == 0.5  # what could not be measured does not count


def test_summary_is_median_and_spread():
    assert measure.summary([3, 1, 2, 10]) == {"median": 2.5, "low": 1, "high": 10}
    assert measure.shown({"median": 373.6, "low": 161.5, "high": 484.4}) == "374 (162 to 484)"


def test_machine_is_named():
    made = measure.machine(2)
    assert made["threads"] == 2 and made["cores"] >= 1 and made["memory_mib"] > 100 and made["cpu"]


def fake(path, rates):
    """A program that answers lines as `den bench --paced` does."""
    path.write_text(textwrap.dedent(f"""\
        import json, sys
        rates = {rates!r}
        for line in sys.stdin:
            print(json.dumps({{"tokens_per_s": rates.pop(0), "asked": line.strip()}}), flush=True)
        print(json.dumps({{"left": len(rates)}}))
        """))
    return [sys.executable, path]


def test_paced_programs_take_turns(tmp_path):
    one, other = (measure.Paced(fake(tmp_path / f"{name}.py", rates)) for name, rates in
                  (("one", [1.5, 2.5, 9]), ("other", [4, 5, 6])))
    assert [(one.measure("prompt"), other.measure("prompt")) for _ in range(2)] == [(1.5, 4), (2.5, 5)]
    assert one.close() == {"left": 1} and other.close() == {"left": 1}


def test_paced_program_that_dies_is_told(tmp_path):
    one = measure.Paced(fake(tmp_path / "one.py", []))
    with pytest.raises(SystemExit):
        one.measure("prompt")


def test_a_failing_program_is_told():
    with pytest.raises(SystemExit, match="no such verb|failed"):
        measure.run_json([sys.executable, "-c", "import sys; sys.exit('no such verb')"])


FIGURE = {"den": {"median": 300.0, "low": 290.0, "high": 310.0}, "llama.cpp": {"median": 100.0, "low": 90.0, "high": 110.0},
          "ratio": {"median": 3.004, "low": 2.9, "high": 3.1}}
COMPARED = {"what": "compare", "commit": "abc", "date": "2026-01-02T03:04Z", "rounds": 5,
            "machine": {"cpu": "A Processor", "cores": 2, "threads": 2, "load_average": 0.1},
            "models": [{"model": "SmolLM2-135M.gguf", "rival": "llama.cpp 1", "cpu_features": "avx2", "rows": {
                "prefill": FIGURE, "depth0": {**FIGURE, "roofline": {"read_gb_per_s": 12.2, "share": 0.853}}}}]}


def test_rows_of_a_table():
    rows = list(compare.lines_of(COMPARED["models"][0]))
    assert rows[0] == [compare.TITLES["prefill"], "300 (290 to 310)", "100 (90 to 110)", "3.00x", ""]
    assert rows[1][4] == "85 % of 12 GB/s"
    assert set(compare.TITLES) >= set(compare.ROWS)


@pytest.fixture
def empty_history(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "HISTORY", tmp_path / "history")
    return tmp_path / "history"


def test_history_grows_and_the_newest_counts(empty_history):
    assert history.newest("compare") is None
    for commit in ("one", "two"):
        history.add({**COMPARED, "commit": commit})
    assert [line["commit"] for line in history.lines("compare")] == ["one", "two"]
    assert history.newest("compare")["commit"] == "two"
    assert history.newest("compare", lambda line: line["commit"] == "one")["commit"] == "one"


def test_tables_of_the_newest(empty_history):
    assert readme_table.text() == "No figures yet.\n"
    history.add(COMPARED)
    made = readme_table.text()
    assert "A Processor" in made and "| 300 (290 to 310) | 100 (90 to 110) | 3.00x |" in made
    assert "other models" not in made
    other = [{**COMPARED["models"][0], "model": "other.gguf"}]
    history.add({**COMPARED, "models": other})
    history.add({**COMPARED, "models": [{**other[0], "rows": {"memory": {"ratio": {"median": 0.5}}}}]})
    made = readme_table.text()
    assert "| other.gguf | avx2 | 3.00x | 3.00x | 0.50x |" in made and made.count("| 300 (290 to 310)") == 2


def test_a_later_run_of_some_rows_leaves_the_others(empty_history):
    history.add(COMPARED)
    faster = {**FIGURE, "den": {"median": 400.0, "low": 390.0, "high": 410.0}}
    some = [{**COMPARED["models"][0], "rows": {"depth0": faster}}]
    history.add({**COMPARED, "commit": "def", "models": some})
    made = readme_table.text()
    assert made.count("300 (290 to 310)") == 1 and made.count("400 (390 to 410)") == 1
    assert "commit abc" in made and "measured again later, generating: commit def, load average 0.1:" in made
    history.add({**COMPARED, "commit": "ghi"})  # all of it
    assert "def" not in readme_table.text() and "400" not in readme_table.text()


def test_every_figure_of_the_tree_makes_a_table():
    for path in (ROOT / "bench/history").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            figures = json.loads(line)
            assert figures["what"] == path.stem and figures["commit"] and figures["machine"]["cpu"]


def test_mixed_load_draws_the_same_each_time(tmp_path):
    text = tmp_path / "text"
    text.write_text("\n".join(" ".join(["word"] * (8 + i)) for i in range(40)) + "\n= A heading of eight words is left out =\n")
    first = mixed_load.draw(text, 32, 1, 20, 16)
    assert first == mixed_load.draw(text, 32, 1, 20, 16) != mixed_load.draw(text, 32, 2, 20, 16)
    assert len(first) == 32 and all(len(p.split()) <= 20 and 8 <= n <= 16 for p, n in first)
    assert not any("heading" in p for p, _ in first)
    with pytest.raises(SystemExit, match="41 requests need as many"):
        mixed_load.draw(text, 41, 1, 20, 16)


def test_history_takes_what_programs_print(tmp_path):
    program = (f"import sys; sys.path.insert(0, {str(ROOT / 'bench')!r}); sys.dont_write_bytecode = True\n"
               f"import pathlib, history; history.HISTORY = pathlib.Path({str(tmp_path / 'history')!r})\n"
               "sys.argv = ['history.py', '--what', 'ablate']; history.main()")
    done = subprocess.run([sys.executable, "-c", program], input='progress\n{"rows": [], "rounds": 3}\n', text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "history/ablate.jsonl").read_text())
    assert made["rounds"] == 3 and made["machine"]["cpu"] and made["date"].endswith("Z")
