#!/usr/bin/env python3
"""The house rules that a machine can check (docs/HACKING.md tells what they are for).

    tidy.py [--root FOLDER] [RULE...]      all rules without an argument; exit code 1 if one is broken

Each rule is a function from a Tree to a list of findings "path:line: what is wrong". A rule reads what it enforces from
the place where people read it: the layer table comes from docs/ARCHITECTURE.md. test_tidy.py plants a violation of each
rule and expects it to be found. Only the standard library is used.
"""
import argparse
import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

SOURCE_LINES_WARNED = 800
SOURCE_LINES_MAX = 1200
HEADER_LINES_MAX = 200
FUNCTION_LINES_MAX = 70
KERNEL_LINES_MAX = 150
COLUMNS_MAX = 100
PARAMETERS_MAX = 6
UNTESTED_LINES_MAX = 80
BANNED = "strcpy stpcpy strcat strncat sprintf vsprintf gets atoi atol atoll atof alloca mktemp tmpnam".split()


class Tree:
    """The files that belong to the project: what git tracks or would track, without what it ignores."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = sorted(self._list())

    def _list(self):
        try:
            command = ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard", "-z"]
            names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
        except (OSError, subprocess.CalledProcessError):  # a source archive
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")]
        skipped = ("build/", "node_modules/", ".git/", ".cache/", ".venv/")
        return {n for n in names if n and not n.startswith(skipped) and (self.root / n).is_file()}

    def under(self, folder, *suffixes):
        return [p for p in self.paths if p.startswith(folder) and p.endswith(suffixes or "")]

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        return self.read(path).splitlines()


def strip_code(text):
    """Comments, strings and preprocessor lines blanked out; lines and columns stay where they are."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    quiet = lambda match: '"' + re.sub(r"[^\n]", " ", match.group()[1:-1]) + '"'
    pattern = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
    text = pattern.sub(lambda m: blank(m) if m.group()[0] == "/" else quiet(m), text)
    return re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text)


def statements(text):
    """Yields (first line, text) of what stands at file level: declarations, and heads of definitions with their '{'."""
    depth = 0
    start = 0
    for at, c in enumerate(text):
        if depth == 0 and c in ";{":
            statement = text[start:at + 1]
            lead = len(statement) - len(statement.lstrip())
            yield text.count("\n", 0, start + lead) + 1, statement.strip()
            start = at + 1
        if c == "{":
            depth += 1
        elif c == "}":
            depth = max(depth - 1, 0)
            start = at + 1


def parameters_of(statement):
    """(name, count) of the function that a statement declares or defines, or None."""
    match = re.match(r"[^={]*?(\w+)\s*\(", statement)
    if not match or statement.startswith("typedef") or match.group(1).startswith("__"):
        return None
    depth = 0
    commas = 0
    for at in range(match.end() - 1, len(statement)):
        c = statement[at]
        depth += (c == "(") - (c == ")")
        commas += c == "," and depth == 1
        if depth == 0:
            inside = statement[match.end():at].strip()
            count = 0 if inside in ("", "void") else commas + 1 - inside.endswith("...")
            return match.group(1), count
    return None


def functions(lines):
    """Yields (first line, lines, name): a body opens with '{' and ends with '}' in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" and number > 1:
            start = number
        elif line.startswith("}") and start is not None:
            first = start - 1
            while first > 1 and lines[first - 1][:1] in (" ", "\t") and "(" not in lines[first - 1][:1]:
                first -= 1
            name = re.search(r"(\w+)\s*\(", lines[first - 1])
            yield first, number - first + 1, name.group(1) if name else "?"
            start = None


# --- rules ---


def read_layers(tree):
    """{room: rooms it may include} out of docs/ARCHITECTURE.md; None stands for every room."""
    layers = {}
    for line in tree.lines("docs/ARCHITECTURE.md"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`\w+`", cells[0]) and "verbs `" not in cells[1]:
            allowed = None if cells[2] == "everything" else set(cells[2].split()) - {"libc"}
            layers[cells[0].strip("`")] = allowed
    return layers


def check_layers(tree):
    """A room includes only the rooms that the table in docs/ARCHITECTURE.md lists beside it, and base."""
    layers = read_layers(tree)
    if len(layers) < 2:
        return ["docs/ARCHITECTURE.md:1: the table of rooms was not found"]
    found = []
    for path in tree.under("src/", ".c", ".h"):
        room = path.split("/")[1] if path.count("/") > 1 else "cli"
        if room not in layers:
            found.append(f"{path}:1: room '{room}' is not in the table of docs/ARCHITECTURE.md")
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            target = match.group(1).split("/")[0]
            if "/" not in match.group(1):
                found.append(f'{path}:{number}: "{match.group(1)}" must be named with its room, "room/file.h"')
            elif target not in layers:
                found.append(f"{path}:{number}: '{target}' is no room")
            elif target not in (room, "base") and layers[room] is not None and target not in layers[room]:
                found.append(f"{path}:{number}: forbidden arrow {room} -> {target}; {room} may include "
                             f"{' '.join(sorted(layers[room])) or 'base only'}")
    return found


def check_sizes(tree):
    """Files, functions and lines stay small enough to be read."""
    found = []
    for path in tree.under("", ".c", ".h"):
        lines = tree.lines(path)
        is_header = path.endswith(".h") and not path.endswith("_tmpl.h")  # a template is the body of a source file
        limit = HEADER_LINES_MAX if is_header else SOURCE_LINES_MAX
        if path.startswith("src/") and len(lines) > limit:
            found.append(f"{path}:{limit}: {len(lines)} lines; at most {limit}")
        elif path.startswith("src/") and len(lines) > SOURCE_LINES_WARNED:
            print(f"warning: {path}: {len(lines)} lines: are there two ideas in it?")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                found.append(f"{path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}")
        limit = KERNEL_LINES_MAX if "kernels/" in path else FUNCTION_LINES_MAX
        for number, length, name in functions(lines):
            if length > limit:
                found.append(f"{path}:{number}: {name} has {length} lines; at most {limit}")
    return found


def read_excuses(tree, name):
    """[(line, subject, reason)] of tests/tidy/NAME, lines of "subject: reason"."""
    path = f"tests/tidy/{name}"
    rows = []
    for number, line in enumerate(tree.lines(path) if path in tree.paths else [], 1):
        if line.strip() and not line.startswith("#"):
            subject, _, reason = line.partition(":")
            rows.append((number, subject.strip(), reason.strip()))
    return rows


def check_excuses(name, rows, used):
    """Excuses need a reason, and go when what they excuse has gone."""
    found = [f"tests/tidy/{name}:{row[0]}: '{row[1]}' has no reason" for row in rows if not row[2]]
    return found + [f"tests/tidy/{name}:{row[0]}: '{row[1]}' excuses nothing that needs it: remove the line"
                    for row in rows if row not in used]


def check_functions(tree):
    """No banned calls; functions that other files call take at most six parameters, but for tests/tidy/parameters.txt."""
    found = []
    rows = read_excuses(tree, "parameters.txt")
    used = set()
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for path in tree.under("", ".c", ".h"):
        code = strip_code(tree.read(path))
        for match in call.finditer(code):
            number = code.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{number}: {match.group(1)} is banned: it can't be bounded or report errors")
        if not path.startswith("src/"):
            continue
        for number, statement in statements(code):
            named = None if re.match(r"(static|inline)\b", statement) else parameters_of(statement)
            if not named or named[1] <= PARAMETERS_MAX:
                continue
            excuse = [row for row in rows if row[1] == named[0]]
            used.update(excuse)
            if not excuse:
                found.append(f"{path}:{number}: {named[0]} takes {named[1]} parameters; at most {PARAMETERS_MAX}, "
                             "then a struct of options")
    return found + check_excuses("parameters.txt", rows, used)


def check_names(tree):
    """File names are unique in src/, and each file opens with an essay."""
    found = []
    seen = {}
    for path in tree.under("src/", ".c", ".h"):
        name = path.rsplit("/", 1)[1]
        if name in seen:
            found.append(f"{path}:1: {seen[name]} has the same name")
        seen.setdefault(name, path)
        if not tree.read(path).startswith("/*"):
            found.append(f"{path}:1: no opening comment that says what the file is")
    return found


def has_test(tree, path):
    """tests/unit/R/test_f.c, or the test of what f is a part of: test_matmul.c covers matmul_avx2.c."""
    room = path.split("/")[1]
    words = path.rsplit("/", 1)[1][:-2].split("_")
    return any(f"tests/unit/{room}/test_{'_'.join(words[:n])}.c" in tree.paths for n in range(1, len(words) + 1))


def check_tests(tree):
    """Each source file of more than 80 lines has a unit test, or a reason in tests/tidy/untested.txt."""
    found = []
    rows = read_excuses(tree, "untested.txt")
    used = set()
    for path in tree.under("src/", ".c"):
        if has_test(tree, path) or len(tree.lines(path)) <= UNTESTED_LINES_MAX:
            continue
        excuse = [row for row in rows if fnmatch.fnmatch(path, row[1])]
        used.update(excuse)
        if not excuse:
            found.append(f"{path}:1: has no test_*.c in tests/unit/{path.split('/')[1]} and no reason in "
                         "tests/tidy/untested.txt")
    return found + check_excuses("untested.txt", rows, used)


def check_docs(tree):
    """Each room has its page; commands that README and HACKING show exist."""
    rooms = {p.split("/")[1] for p in tree.under("src/", ".c") if p.count("/") > 1}
    found = [f"docs/internals/{room}.md:1: is missing: each room has a page"
             for room in sorted(rooms) if f"docs/internals/{room}.md" not in tree.paths]
    if "README.md" not in tree.paths:
        found.append("README.md:1: is missing")
    presets = set()
    if "CMakePresets.json" in tree.paths:
        presets = {p["name"] for p in json.loads(tree.read("CMakePresets.json")).get("configurePresets", [])}
    for path in ("README.md", "docs/HACKING.md"):
        for number, line in enumerate(tree.lines(path) if path in tree.paths else [], 1):
            for command in re.findall(r"(?<![\w./])\./([\w./-]+)", line):
                target = tree.root / command.rstrip(".")
                if not command.startswith("build/") and not (target.is_file() and os.access(target, os.X_OK)):
                    found.append(f"{path}:{number}: './{command}' is no program of the tree")
            for preset in re.findall(r"--preset[ =](\w+)", line):
                if preset not in presets:
                    found.append(f"{path}:{number}: CMakePresets.json has no preset '{preset}'")
            for target in re.findall(r"\]\(([^)#:\s]+)[^):]*\)", line):
                if not (tree.root / Path(path).parent / target).exists():
                    found.append(f"{path}:{number}: the link to '{target}' leads nowhere")
    return found


# Spelled so that this file does not contain what it looks for.
WORDS = [
    (r"\b(" + "|".join(["clau" + "de", "co" + "pilot"]) + r")\b", "the tree doesn't say which tools wrote it"),
    (r"(?<![\w.:$}~<>*/-])/(" + "|".join(["wo" + "rk", "ho" + "me", "ro" + "ot", "Us" + "ers", "m" + "nt"]) + r")/\w",
     "a path of somebody's machine"),
    (r"(?<![\w.:$}~<>*/-])/t" + r"mp/(ref|m)/", "a path of somebody's machine"),
    (r"(registry\.npm" + r"js\.org|py" + r"pi\.org|python" + r"hosted\.org|deb\.deb" + r"ian\.org|artifact" + r"ory)",
     "a package registry's host: name the package instead"),
]


def check_words(tree):
    """No trace of tools, machines or registries in any text file."""
    found = []
    rules = [(re.compile(pattern, re.I), why) for pattern, why in WORDS]
    for path in tree.paths:
        data = (tree.root / path).read_bytes()
        if b"\0" in data[:4096] or path.startswith(("tests/fuzz/corpus/", "tests/fixtures/")) and len(data) > 100000:
            continue
        text = data.decode("utf-8", "replace")
        for rule, why in rules:
            for match in rule.finditer(text):
                number = text.count("\n", 0, match.start()) + 1
                found.append(f"{path}:{number}: '{match.group()}': {why}")
    return found


RULES = {
    "layers": check_layers,
    "sizes": check_sizes,
    "functions": check_functions,
    "names": check_names,
    "tests": check_tests,
    "docs": check_docs,
    "words": check_words,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parents[2])
    parser.add_argument("rules", nargs="*", metavar="RULE", help=" ".join(RULES))
    arguments = parser.parse_args()
    unknown = [rule for rule in arguments.rules if rule not in RULES]
    if unknown:
        parser.error(f"no rule '{unknown[0]}'; there are {' '.join(RULES)}")
    tree = Tree(arguments.root)
    if not tree.paths:
        parser.error(f"{arguments.root}: holds no files")
    broken = 0
    for name in arguments.rules or RULES:
        for finding in RULES[name](tree):
            print(finding)
            broken += 1
    print(f"{broken} findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
