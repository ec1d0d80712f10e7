"""What the measuring programs share: summaries, the machine and commit a figure belongs to, programs that take turns.

A figure on a shared machine drifts by tens of percent within minutes, whatever is measured. So two engines are loaded side
by side and measured alternately, one short measurement each, and what counts is the median of the ratios of neighbours.
"""
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def end_when_told():
    """Ends as an exception does, so that programs that were started are ended as well."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def summary(values, digits=1):
    return {"median": round(statistics.median(values), digits), "low": round(min(values), digits),
            "high": round(max(values), digits)}


def ratios(ours, theirs):
    """Of neighbours in time, not of the medians."""
    return summary([a / b for a, b in zip(ours, theirs) if b], 3)


def machine(threads=None):
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024
    made = {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory_mib": memory,
            "system": platform.platform(terse=True),
            "load_average": round(os.getloadavg()[0], 1)}
    if threads:
        made["threads"] = threads
    return made


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True).stdout.strip()
    return {"commit": git("rev-parse", "--short=10", "HEAD"), "date": datetime.datetime.now(datetime.timezone.utc)
            .strftime("%Y-%m-%dT%H:%MZ")}


def stamp(what, threads=None):
    """What any figures begin with. Taken before anything is measured: the load average is then that of others."""
    return {"what": what, **commit(), "machine": machine(threads)}


def json_option(parser):
    parser.add_argument("--json", metavar="FILE", nargs="?", const="-",
                        help="write the figures there; - or nothing: to standard output, for bench/history.py")


def hand_out(figures, where):
    """Figures to where --json says. True where they went to standard output, which then holds nothing else."""
    if where == "-":
        print(json.dumps(figures))
    elif where:
        pathlib.Path(where).write_text(json.dumps(figures, indent=1) + "\n")
    return where == "-"


def run_json(command, **options):
    """The last line that a program prints, read as JSON."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Paced:
    """A program that measures once for each line it is sent and answers each with a line of JSON; what it says of itself
    at the end is in `report` after close(). It sleeps between two lines."""

    def __init__(self, command):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.report = None

    def measure(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended with {self.process.wait()}")
        return json.loads(line)["tokens_per_s"]

    def close(self):
        self.process.stdin.close()
        lines = self.process.stdout.read().strip().splitlines()
        if self.process.wait() != 0 or not lines:
            raise SystemExit(f"{' '.join(self.command)} ended with {self.process.returncode}")
        self.report = json.loads(lines[-1])
        return self.report


class Side:
    """A program that does all of its work once for each line it reads and answers with one line of JSON: one of those that
    take turns. Rivals are told by their libraries' variables how many threads they have."""

    def __init__(self, command, threads):
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
               "LANCE_CPU_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=env)

    def pass_(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a side ended early; its message is above")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def table(heads, rows):
    """Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def shown(figure, digits=0):
    """'374 (162 to 484)'."""
    return (f"{figure['median']:.{digits}f} ({figure['low']:.{digits}f} to {figure['high']:.{digits}f})")
