#!/usr/bin/env python3
"""Searches the same vectors with Den, LanceDB, sqlite-vec and numpy in turn: the ten nearest of N, exactly.

    bench/space.py --rival-python PYTHON [--items 100000] [--width 384] [--questions 200] [--rounds 5] [--threads 2]
                   [--build build/release] [--json]

PYTHON has lancedb, sqlite-vec and numpy. Vectors are random unit vectors around random centres (one for each hundred items),
questions are new ones around the same centres. All sides build once (timed), then take turns over all questions, one at a
time. Median and 95th percentile of a question, recall of the ten against a product of all in f32 by numpy, and the
memory of the process when it has answered are printed, with ratios to Den's of the same round. LanceDB searches without an index,
which is its exact way. Den's time is that of den_space_search(): the database's transaction, filters, reading the vectors of the
hits, everything; LanceDB's and sqlite-vec's is that of their own call.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

from measure import Side

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 10
SIDES = ("den", "lancedb", "sqlite-vec", "numpy")

MAKE = """
import numpy as np, sys
items, width, questions = map(int, sys.argv[2:5])
rng = np.random.default_rng(1)
centres = rng.standard_normal((max(items // 100, 1), width), dtype=np.float32)
def make(count):
    v = centres[rng.integers(len(centres), size=count)] + 0.8 * rng.standard_normal((count, width), dtype=np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)
v, q = make(items), make(questions)
v.astype("<f4").tofile(sys.argv[1] + "/items.f32")
q.astype("<f4").tofile(sys.argv[1] + "/questions.f32")
best = np.stack([np.argsort(-(v @ one), kind="stable")[:10] for one in q])
best.astype("<i4").tofile(sys.argv[1] + "/best.i32")
"""

# Each rival: build(vectors), then ask(question) gives the numbers of ten items.
RIVALS = {
    "lancedb": """
import lancedb, pyarrow as pa
def build(v):
    global table
    rows = pa.table({"id": pa.array(range(len(v)), pa.int64()),
                     "vector": pa.FixedSizeListArray.from_arrays(pa.array(v.reshape(-1), pa.float32()), v.shape[1])})
    table = lancedb.connect(folder + "/lance").create_table("items", rows)
def ask(q):
    return table.search(q).distance_type("dot").select(["id", "_distance"]).limit(10).to_arrow()["id"].to_pylist()
version = lancedb.__version__
""",
    "sqlite-vec": """
import sqlite_vec
try:
    import pysqlite3 as sqlite3  # where Python's own can't load extensions
except ImportError:
    import sqlite3
def build(v):
    global db
    db = sqlite3.connect(folder + "/vec.db")
    db.enable_load_extension(True)
    sqlite_vec.load(db)
    db.execute(f"create virtual table items using vec0(vector float[{v.shape[1]}] distance_metric=cosine)")
    with db:
        db.executemany("insert into items (rowid, vector) values (?, ?)", ((i, row.tobytes()) for i, row in enumerate(v)))
def ask(q):
    return [r for r, in db.execute("select rowid from items where vector match ? and k = 10 order by distance", (q.tobytes(),))]
version = sqlite_vec.__version__
""",
    "numpy": """
def build(v):
    global vectors
    vectors = v
def ask(q):
    scores = vectors @ q
    top = np.argpartition(-scores, 10)[:10]
    return top[np.argsort(-scores[top])].tolist()
version = np.__version__
""",
}
DRIVE = """
import json, resource, sys, time
import numpy as np
folder, width = sys.argv[1], int(sys.argv[2])
v = np.fromfile(folder + "/items.f32", "<f4").reshape(-1, width)
questions = np.fromfile(folder + "/questions.f32", "<f4").reshape(-1, width)
best = np.fromfile(folder + "/best.i32", "<i4").reshape(len(questions), 10)
%s
start = time.perf_counter()
build(v)
build_s = time.perf_counter() - start
if "vectors" not in globals():
    del v
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
for line in sys.stdin:
    seconds, right = [], 0
    for q, want in zip(questions, best):
        start = time.perf_counter()
        found = ask(q)
        seconds.append(time.perf_counter() - start)
        right += len(set(found) & set(want.tolist()))
    seconds.sort()
    print(json.dumps({"median_ms": 1e3 * seconds[len(seconds) // 2], "p95_ms": 1e3 * seconds[len(seconds) * 95 // 100],
                      "mean_ms": 1e3 * sum(seconds) / len(seconds), "recall": right / best.size, "build_s": build_s,
                      "resident_bytes": resident(), "version": str(version)}), flush=True)
"""


def start(name, options, folder):
    if name != "den":
        return Side([options.rival_python, "-c", DRIVE % RIVALS[name], folder, options.width], options.threads)
    return Side([options.build / "bench/bench_space", folder / "den.db", "--vectors", folder / "items.f32", "--width", options.width,
                 "--question-vectors", folder / "questions.f32", "--mode", "vectors", "--count", COUNT, "--candidates", COUNT,
                 "--diversity", 0, "--hits", folder / "hits.jsonl"], options.threads)


def recall_of_den(folder):
    best = memoryview((folder / "best.i32").read_bytes()).cast("i")
    rows = [json.loads(line)["hits"] for line in open(folder / "hits.jsonl")]
    return sum(len({int(hit) for hit in hits} & set(best[COUNT * i:COUNT * i + COUNT])) for i, hits in enumerate(rows)) / len(best)


def measure(options, folder):
    """One side is alive at a time while it is built; all of them while they take turns."""
    sides, rows = {}, {name: [] for name in options.sides}
    for name in options.sides:
        sides[name] = start(name, options, folder)
        sides[name].pass_()  # builds, and is not counted
    for _ in range(options.rounds):
        for name in options.sides:
            rows[name].append(sides[name].pass_())
    for side in sides.values():
        side.end()
    out = {}
    for name, passes in rows.items():
        medians = [row["median_ms"] for row in passes]
        ratios = [row["median_ms"] / den["median_ms"] for row, den in zip(passes, rows["den"])]
        out[name] = {**passes[-1], "median_ms": statistics.median(medians), "low_ms": min(medians), "high_ms": max(medians),
                     "p95_ms": statistics.median(row["p95_ms"] for row in passes), "ratio": statistics.median(ratios)}
    out["den"]["recall"] = recall_of_den(folder)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--items", type=int, default=100000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", type=lambda text: text.split(","), default=list(SIDES), help="den and some of the others")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="den-space-") as name:
        subprocess.run([options.rival_python, "-c", MAKE, name, str(options.items), str(options.width), str(options.questions)],
                       check=True)
        out = measure(options, pathlib.Path(name))
    if options.json:
        print(json.dumps(out))
        return
    for name, row in out.items():
        print(f"{name:12} {row.get('version', ''):8} median {row['median_ms']:8.3f} ms ({row['low_ms']:.3f} to {row['high_ms']:.3f})  "
              f"p95 {row['p95_ms']:8.3f} ms  recall {row['recall']:.4f}  ratio {row['ratio']:.2f}  build {row['build_s']:.2f} s  "
              f"{row['resident_bytes'] / 2**20:.0f} MiB")


main()
