"""The kernels' unit tests and a short answer on a processor that this machine is not, emulated by qemu-user.

An illegal instruction ends an emulated process as it would a real one. The answer must be the one that the same
program gives here when it is held to the same instruction sets: emulated f32 arithmetic is exact.
"""
import argparse
import os
import shutil
import subprocess
import sys

FEATURES = {"Haswell": "avx2,fma,f16c", "Nehalem": "scalar"}
SETS = {"Haswell": "avx2", "Nehalem": None}
TESTS = ["activations", "attention", "dispatch", "matmul", "pack", "quantize", "self_check", "vector"]
PROMPT = ["--raw", "-n", "12", "-t", "0", "Once upon a time"]


def run(command, **more):
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, **more)


def fail(what, result):
    sys.stdout.write(result.stdout.decode(errors="replace")[-2000:] + result.stderr.decode(errors="replace")[-2000:])
    sys.exit(f"{what}: exit status {result.returncode}")


def run_units(emulator, processor, program):
    for test in TESTS:
        result = run([*emulator, program, f"kernels/test_{test}"])
        output = (result.stdout + result.stderr).decode(errors="replace")
        if result.returncode != 0:
            fail(f"{processor}: kernels/test_{test}", result)
        print(f"{processor}: kernels/test_{test} passed")
        if test == "matmul":
            newest = SETS[processor]
            absent = {line.split(":")[0] for line in output.splitlines() if line.endswith(": not on this processor")}
            if (newest in absent) or not {"avx512", "avx512vnni", "amx", "avxvnni"} <= absent:
                sys.exit(f"{processor}: the emulated processor is another one; absent are {sorted(absent)}")


def run_answer(emulator, processor, program, model):
    environment = {key: value for key, value in os.environ.items() if key != "DEN_CPU_FEATURES"}
    answers = []
    for command in ([*emulator, program, "generate"], [program, "generate", "--cpu-features", FEATURES[processor]]):
        result = run([*command, "-m", model, *PROMPT], env=environment)
        if result.returncode != 0 or not result.stdout.strip():
            fail(f"{processor}: den generate", result)
        answers.append(result.stdout)
    if answers[0] != answers[1]:
        sys.exit(f"{processor}: the emulated answer is {answers[0]!r}, here it is {answers[1]!r}")
    print(f"{processor}: den generate gave the answer of --cpu-features {FEATURES[processor]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processor", required=True, choices=FEATURES)
    parser.add_argument("--model", required=True)
    parser.add_argument("den")
    parser.add_argument("units")
    arguments = parser.parse_args()
    qemu = shutil.which("qemu-x86_64")
    if not qemu:
        print("qemu-x86_64 is missing (qemu-user): skipped")
        return 77
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        here = cpuinfo.read()
    emulator = [qemu, "-cpu", arguments.processor]
    run_units(emulator, arguments.processor, arguments.units)
    if " avx2 " in here or arguments.processor == "Nehalem":
        run_answer(emulator, arguments.processor, arguments.den, arguments.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
