"""Finds and ends the worker processes of a running `den serve`, and reads what they hold, from /proc."""
import os
import pathlib
import signal
import time


def workers(server):
    """Ids of the server's worker processes."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        if parent == server.process.pid and words[1:2] == [b"worker"]:
            found.append(int(entry.name))
    return found


def kill(server):
    """Kills every worker there is, once; returns how many."""
    ids = workers(server)
    for number in ids:
        os.kill(number, signal.SIGKILL)
    return len(ids)


def kill_when_there(server):
    """As kill(), but waits for one that is about to be started."""
    while not (killed := kill(server)):
        time.sleep(0.005)
    return killed


def resident_bytes(number):
    for line in pathlib.Path(f"/proc/{number}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
