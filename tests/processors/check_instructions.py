"""No instruction outside its set: reads the objects of the build and names those that hold what they must not.

The program is compiled for any x86-64; what a newer processor can do stands in files whose names say so and whose
functions run only where kernels/dispatch.c has seen the feature. A flag on the wrong file, or an inline function of a
header that the linker took from a set's file, would end the program elsewhere with an illegal instruction. The
check is of objects, not of flags, so it sees both.
"""
import pathlib
import re
import shutil
import subprocess
import sys

# What an instruction takes, by the registers it names and its mnemonic; a VEX or EVEX instruction on xmm is "avx".
KINDS = {
    "tiles": re.compile(r"%tmm|\b(?:ldtilecfg|sttilecfg|tilerelease)\b"),
    "avx512": re.compile(r"%zmm|%k[0-7]\b|%[xy]mm(?:1[6-9]|2\d|3[01])\b|\{%k"),
    "vnni": re.compile(r"\bvpdp(?:busds?|wssds?)\b"),
    "avx2": re.compile(r"%ymm"),
    "avx": re.compile(r"^(?:\{vex\} )?v[a-z0-9]+\s.*%xmm"),
}
# What the files of a set may hold, and what at least one of them does hold (else the check sees nothing).
SETS = {
    "avx2": ({"avx", "avx2"}, {"avx2"}),
    "avxvnni": ({"avx", "avx2", "vnni"}, {"avx2", "vnni"}),
    "avx512": ({"avx", "avx2", "avx512"}, {"avx512"}),
    "avx512vnni": ({"avx", "avx2", "avx512", "vnni"}, {"avx512", "vnni"}),
    "amx": ({"avx", "avx2", "avx512", "vnni", "tiles"}, {"avx512", "tiles"}),
}
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t(.*)$")


def set_of(name):
    match = re.search(r"_(avx2|avxvnni|avx512|avx512vnni|amx)\.c\.o$", name)
    return match.group(1) if match else None


def kinds_of(code, text):
    found = {kind for kind, pattern in KINDS.items() if pattern.search(text)}
    if code.startswith("62 "):  # EVEX, whatever registers: what AVX-512VL does to 32 bytes
        found.add("avx512")
    return found


def read(archive):
    """Yields (object, function, kinds, instruction) of everything that is not plain x86-64."""
    process = subprocess.Popen(["objdump", "-d", "--insn-width=15", str(archive)], stdout=subprocess.PIPE, text=True)
    name = function = ""
    for line in process.stdout:
        if line[0] == " ":
            if "mm" not in line and "tile" not in line and "%k" not in line:
                continue
            match = INSTRUCTION.match(line)
            kinds = kinds_of(*match.groups()) if match else set()
            if kinds:
                yield name, function, kinds, match.group(2).strip()
        elif "file format" in line:
            name = line.split(":")[0]
        elif line.rstrip().endswith(">:"):
            function = line.split("<")[1].rstrip()[:-2]
    if process.wait() != 0:
        sys.exit(f"objdump failed on {archive}")


def main(folder):
    archives = sorted(pathlib.Path(folder).glob("libden_*.a"))
    if not shutil.which("objdump"):
        print("objdump is missing (binutils): skipped")
        return 77
    if not archives:
        sys.exit(f"{folder}: no libden_*.a there; build first")
    wrong, seen = {}, {name: set() for name in SETS}
    for archive in archives:
        for name, function, kinds, text in read(archive):
            own = set_of(name)
            if own:
                seen[own] |= kinds
            extra = kinds - (SETS[own][0] if own else set())
            if extra:
                wrong.setdefault((archive.name, name, function), (sorted(extra), text))
    for (archive, name, function), (extra, text) in sorted(wrong.items()):
        print(f"{archive}: {name}: {function}() holds {', '.join(extra)}: {text}")
    for own, (_, needed) in SETS.items():
        if needed - seen[own]:
            print(f"no file of the set {own} holds {', '.join(sorted(needed - seen[own]))}: the check is blind")
            return 1
    print(f"{len(archives)} archives, {len(wrong)} functions with instructions of another set")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
