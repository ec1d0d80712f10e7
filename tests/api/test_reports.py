"""Reports over HTTP, with the real models: tables whose amounts are right, summaries that end and cite, a program that is
killed in the middle and goes on, and wishes that can't be met."""
import csv
import io
import json
import signal
import subprocess
import time

import pytest

from conftest import PROGRAM, default_home, serve
from test_workspaces import add, make, ok, wait_ready

INVOICES = {
    "mill.txt": "Invoice 17 of 3 May 2024 from Hofmann Mill to Anna Becker. Flour, 20 kg at 0.62 euros, and delivery. "
                "The total amount to pay is 340.50 euros. Payment is due within 14 days.\n",
    "garden.txt": "Invoice 18 of 9 June 2024 from Weber Gardens to Tom Reed. Two apple trees and compost. "
                  "The total amount to pay is 1,275.00 euros. Payment is due within 30 days.\n",
    "roof.txt": "Invoice 19 of 21 July 2024 from Lindner Roofing to Anna Becker. Repair of the gutter on the north side. "
                "The total amount to pay is 88.20 euros. Payment is due within 10 days.\n",
}
AMOUNTS = {"mill.txt": "340.50 euros", "garden.txt": "1,275.00 euros", "roof.txt": "88.20 euros"}
LEASES = {
    "old.txt": "The lease of the mill in Harbour Street was signed by Anna Becker on 14 March 1999.\n\nThe tenant pays a "
               "rent of 1,200 euros each month.\n\nThe garden is kept by the tenant.\n",
    "new.txt": "The lease of the mill in Harbour Street was signed by Anna Becker on 14 April 2009.\n\nThe tenant pays a "
               "rent of 1,350 euros each month.\n\nHeating costs are paid by the owner.\n",
}


def pages(count, start=0):
    """Pages of a text that is the same nowhere."""
    return "\f".join(
        "".join(f"In the year {1800 + n} the harbour of Tarn had {n * 3 + 5} ships and {n * 7 + 11} fishermen, who sold "
                f"{n * 13 + 40} barrels of herring to the town on the other shore. The keeper of lighthouse {n} wrote it "
                "down in his book. " for n in range(start + page * 2, start + page * 2 + 2)) for page in range(count))


@pytest.fixture(scope="module")
def library(server):
    if all(m.den["role"] != "embedding" for m in server.client().models.list().data):
        pytest.skip("no embedding model is installed")
    made = make(server)
    texts = {**INVOICES, **LEASES}
    ids = {name: add(server, name, text, made["id"]) for name, text in texts.items()}
    for document in ids.values():
        wait_ready(server, document)
    return made["id"], ids


def wait_for(server, report, *states):
    while True:
        found = ok(server.ask("GET", f"/api/reports/{report}"))
        if found["state"] in (states or ("done", "failed")):
            return found
        time.sleep(0.1)


def report(server, **fields):
    made = ok(server.ask("POST", "/api/reports", fields), 202)
    assert made["result"] is None and made["state"] in ("waiting", "running")
    found = wait_for(server, made["id"])
    assert found["state"] == "done", found["error"]
    assert found["done"] == found["total"] and found["ended"] >= found["started"] >= found["created"]
    return found


def check_citations(result):
    units = result["text"].encode("utf-16-le")
    numbers = [p["number"] for p in result["passages"]]
    assert numbers == list(range(1, len(numbers) + 1))
    for citation in result["citations"]:
        marker = units[2 * citation["start"]:2 * citation["end"]].decode("utf-16-le")
        assert marker == f"[{citation['passages'][0]}]" and citation["passages"][0] in numbers


def test_amounts_are_right_because_the_passage_is(server, library):
    made = report(server, kind="table", documents=[library[1][n] for n in INVOICES],
                  columns=[{"name": "Amount", "description": "the total amount to pay"},
                           {"name": "Blood type", "description": "the blood type of the patient"}])
    rows = made["result"]["rows"]
    assert {r["name"]: r["cells"][0]["text"] for r in rows} == AMOUNTS
    for row in rows:
        amount, blood = row["cells"]
        passage = made["result"]["passages"][amount["passage"]]
        assert amount["supported"] and passage["document"] == row["document"] and amount["text"] in passage["text"]
        assert blood == {"text": "—", "passage": None, "supported": False}
    sheet = server.ask("GET", f"/api/reports/{made['id']}/csv")
    assert sheet.headers["content-type"].startswith("text/csv") and "attachment" in sheet.headers["content-disposition"]
    read = list(csv.reader(io.StringIO(sheet.body.decode(), newline="")))
    assert read[0] == ["Document", "Amount", "Blood type", "Sources"] and len(read) == 4
    assert {row[0]: row[1] for row in read[1:]} == AMOUNTS
    markdown = server.ask("GET", f"/api/reports/{made['id']}/markdown").body.decode()
    assert "| mill.txt | 340.50 euros [1] |" in markdown


def test_what_differs_is_told_first(server, library):
    made = report(server, kind="comparison", documents=[library[1][n] for n in LEASES])
    text = made["result"]["text"]
    assert text.startswith("**Numbers and dates that differ**")
    first = text.split("**")[2]
    for word in ("1,200", "1,350", "14 March 1999", "14 April 2009"):
        assert word in first
    assert "garden" in text.split("Only in old.txt")[1] and "Heating" in text.split("Only in new.txt")[1]
    check_citations(made["result"])
    named = {p["name"] for p in made["result"]["passages"]}
    assert named == set(LEASES)


def test_a_long_text_ends_and_cites(server, library):
    document = add(server, "tarn.txt", pages(40))
    wait_ready(server, document)
    made = report(server, kind="summary", documents=[document], question="How many ships were there?")
    assert made["total"] > 3
    result = made["result"]
    check_citations(result)
    assert result["text"] and any(c["supported"] for c in result["citations"]), result["text"]
    assert all(p["document"] == document for p in result["passages"])
    assert server.ask("GET", f"/api/reports/{made['id']}/csv").http == 400


def test_a_chat_does_not_wait_for_a_report(server, library):
    """While a report asks for minutes, a chat is answered."""
    document = add(server, "long.txt", pages(150, 400))
    wait_ready(server, document)
    made = ok(server.ask("POST", "/api/reports", {"kind": "summary", "documents": [document]}), 202)
    while (planned := ok(server.ask("GET", f"/api/reports/{made['id']}")))["total"] == 0:  # it is being planned
        assert planned["state"] != "failed", planned["error"]
        time.sleep(0.05)
    answer = ok(server.ask("POST", "/v1/chat/completions", server.chat("Say hello.", max_tokens=8)))
    assert answer["choices"][0]["message"]["content"]
    now = ok(server.ask("GET", f"/api/reports/{made['id']}"))
    assert now["state"] == "running", "the chat waited for the report"
    paused = ok(server.ask("PATCH", f"/api/reports/{made['id']}", {"state": "paused"}))
    assert paused["state"] == "paused" and paused["done"] < paused["total"]
    assert ok(server.ask("PATCH", f"/api/reports/{made['id']}", {"title": "Tarn"}))["title"] == "Tarn"
    ok(server.ask("DELETE", f"/api/reports/{made['id']}"))
    assert server.ask("GET", f"/api/reports/{made['id']}").http == 404


def test_pages_are_told(server, library):
    connection = server.begin("GET", "/api/events")
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    made = report(server, kind="comparison", documents=[library[1][n] for n in LEASES])
    ok(server.ask("DELETE", f"/api/reports/{made['id']}"))
    while b"event: report_deleted" not in text or not text.endswith(b"\n\n\r\n"):
        text += connection.recv(65536)
    connection.close()
    told = [line for line in text.decode().splitlines() if line.startswith("data:") and made["id"] in line]
    reports = [json.loads(line[5:])["report"] for line in told if '"report"' in line]
    assert reports[-1]["state"] == "done" and all("result" not in r for r in reports)
    assert json.loads(told[-1][5:]) == {"id": made["id"]}


def test_killed_in_the_middle_it_goes_on(tmp_path):
    if not (default_home() / "models").exists():
        pytest.skip("no embedding model is installed")
    with serve(tmp_path) as server:
        document = add(server, "tarn.txt", pages(30))
        wait_ready(server, document)
        made = ok(server.ask("POST", "/api/reports", {"kind": "summary", "documents": [document]}), 202)
        while (found := ok(server.ask("GET", f"/api/reports/{made['id']}")))["done"] < 2:
            assert found["state"] != "failed", found["error"]
            time.sleep(0.05)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.process.returncode = 0
    with serve(tmp_path) as server:
        now = ok(server.ask("GET", f"/api/reports/{made['id']}"))
        assert now["done"] >= found["done"] and now["total"] == found["total"]
        ended = wait_for(server, made["id"])
        assert ended["state"] == "done" and ended["result"]["text"]
        check_citations(ended["result"])


def test_wishes_that_cannot_be_met(server, library):
    workspace, ids = library
    empty = make(server)["id"]
    one = [ids["mill.txt"]]
    for fields, http in (({}, 400), ({"kind": "poem", "documents": one}, 400), ({"kind": "summary"}, 400),
                         ({"kind": "summary", "documents": []}, 400), ({"kind": "summary", "documents": ["gone"]}, 404),
                         ({"kind": "summary", "workspace": empty}, 400), ({"kind": "summary", "workspace": "gone"}, 404),
                         ({"kind": "comparison", "documents": one}, 400), ({"kind": "comparison", "documents": one * 2}, 400),
                         ({"kind": "table", "documents": one}, 400),
                         ({"kind": "table", "documents": one, "columns": [{"name": "A"}] * 200}, 400),
                         ({"kind": "table", "documents": one, "columns": [{"name": ""}]}, 400),
                         ({"kind": "summary", "documents": one, "question": "x" * 5000}, 413)):
        answer = server.ask("POST", "/api/reports", fields)
        assert answer.http == http and answer.error()["message"], (fields, answer.body)
    for path in ("/api/reports/gone", "/api/reports/gone/csv", "/api/reports/gone/markdown"):
        assert server.ask("GET", path).http == 404
    assert server.ask("PATCH", "/api/reports/gone", {"state": "paused"}).http == 404
    assert server.ask("DELETE", "/api/reports/gone").http == 404
    assert server.ask("GET", "/api/reports?before=%27").http == 400


def test_a_document_may_be_deleted_meanwhile(server, library):
    ids = []
    for n in range(3):
        ids.append(add(server, f"bill{n}.txt", f"Bill {n}. The total amount to pay is {n + 5}0.00 euros.\n"))
        wait_ready(server, ids[-1])
    made = ok(server.ask("POST", "/api/reports", {"kind": "table", "documents": ids,
                                                  "columns": [{"name": "Amount", "description": "the total amount to pay"}]}), 202)
    ok(server.ask("DELETE", f"/api/documents/{ids[2]}"))
    found = wait_for(server, made["id"])
    assert found["state"] == "done", found["error"]
    last = found["result"]["rows"][2]
    assert last["document"] == ids[2] and last["cells"][0]["text"] in ("—", "70.00 euros")


def test_the_program_makes_them_too(server, library, tmp_path):
    """den report finds documents by their name; where a server runs on the same home, that one does the work."""
    home = next(p for p in open(f"/proc/{server.process.pid}/environ").read().split("\0") if p.startswith("DEN_HOME="))
    env = {"DEN_HOME": home[9:], "XDG_CONFIG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([PROGRAM, "report", "table", "mill.txt", "garden.txt", "--column", "Amount: the total amount to pay",
                           "--csv"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {row[0]: row[1] for row in csv.reader(io.StringIO(done.stdout))} == {
        "Document": "Amount", "mill.txt": "340.50 euros", "garden.txt": "1,275.00 euros"}
    refused = subprocess.run([PROGRAM, "report", "summary", "nothing.txt"], env=env, capture_output=True, text=True)
    assert refused.returncode == 3 and "nothing.txt" in refused.stderr
