#!/usr/bin/env python3
"""tidy.py tested: a small tree that keeps every rule, then one violation at a time, each to be found where it is."""
import os
import tempfile
import unittest
from pathlib import Path

import tidy

ARCHITECTURE = """# Architecture
| room | holds | may include |
|---|---|---|
| `base` | basics | libc |
| `low` | low things | |
| `high` | high things | low |
| `cli` | verbs | everything |

| what | value |
|---|---|
| program | `den` |
"""

CLEAN = {
    "docs/ARCHITECTURE.md": ARCHITECTURE,
    "docs/internals/base.md": "# base\n",
    "docs/internals/low.md": "# low\n",
    "docs/internals/high.md": "# high\n",
    "docs/HACKING.md": "Run `./test`, or cmake --preset release. See [the map](ARCHITECTURE.md).\n",
    "README.md": "    ./test --quick\n",
    "test": "#!/bin/sh\n",
    "CMakePresets.json": '{"configurePresets": [{"name": "release"}]}',
    "src/main.c": '/* The program. */\n#include "high/high.h"\n',
    "src/base/base.c": "/* Base. */\n",
    "src/low/low.h": "/* Low. */\nint den_low(int a, int b, int c, int d, int e, int f);\n",
    "src/low/low.c": "/* Low: strcpy() in a comment is no call. */\nconst char *text = \"gets(x) in a string\";\n",
    "src/high/high.h": '/* High. */\n#include "low/low.h"\n#include "base/base.h"\n#include <stdio.h>\n',
    "src/high/high.c": "/* High. */\n" + "/* line */\n" * 90,
    "tests/unit/high/test_high.c": "/* Test. */\n",
    "tests/tidy/untested.txt": "# nothing\n",
}


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for path, text in CLEAN.items():
            self.plant(path, text)
        os.chmod(Path(self.folder.name) / "test", 0o755)

    def plant(self, path, text):
        target = Path(self.folder.name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def findings(self, rule):
        return tidy.RULES[rule](tidy.Tree(self.folder.name))

    def expect(self, rule, *starts):
        """Exactly these findings, each beginning so."""
        found = self.findings(rule)
        self.assertEqual(len(found), len(starts), found)
        for finding, start in zip(sorted(found), sorted(starts)):
            self.assertTrue(finding.startswith(start), finding)

    def test_clean_tree(self):
        for rule in tidy.RULES:
            self.assertEqual(self.findings(rule), [], rule)

    def test_arrow_up(self):
        self.plant("src/low/low.c", '/* Low. */\n\n#include "high/high.h"\n')
        self.expect("layers", "src/low/low.c:3: forbidden arrow low -> high")

    def test_arrow_from_base(self):
        self.plant("src/base/base.c", '/* Base. */\n#  include "low/low.h"\n')
        self.expect("layers", "src/base/base.c:2: forbidden arrow base -> low")

    def test_unknown_rooms(self):
        self.plant("src/attic/old.c", "/* Old. */\n")
        self.plant("src/low/sub/deep.c", '/* Deep. */\n#include "low.h"\n#include "cellar/x.h"\n')
        self.expect("layers", "src/attic/old.c:1: room 'attic'", 'src/low/sub/deep.c:2: "low.h"',
                    "src/low/sub/deep.c:3: 'cellar' is no room")

    def test_missing_table(self):
        self.plant("docs/ARCHITECTURE.md", "# Nothing\n")
        self.expect("layers", "docs/ARCHITECTURE.md:1:")

    def test_long_files(self):
        self.plant("src/low/low.h", "/* Low. */\n" + "\n" * 200)
        self.plant("src/low/low.c", "/* Low. */\n" + "\n" * 1200)
        self.plant("src/low/body_tmpl.h", "/* Body. */\n" + "\n" * 300)
        self.expect("sizes", "src/low/low.h:200: 201 lines", "src/low/low.c:1200: 1201 lines")

    def test_long_lines(self):
        self.plant("src/low/low.c", "/* Low. */\n/* " + "é" * 94 + " */\n/* " + "é" * 95 + " */\n")
        self.expect("sizes", "src/low/low.c:3: 101 columns")

    def test_long_functions(self):
        body = "    x();\n" * 67
        self.plant("src/low/low.c", "/* Low. */\nint den_fits(void)\n{\n" + body + "}\n\nint den_long(int a,\n"
                   "             int b)\n{\n" + body + "}\n")
        self.plant("src/kernels/k.c", "/* K. */\nvoid den_kernel(void)\n{\n" + "    x();\n" * 147 + "}\n\n"
                   "void den_slow(void)\n{\n" + "    x();\n" * 148 + "}\n")
        self.expect("sizes", "src/low/low.c:73: den_long has 71 lines", "src/kernels/k.c:153: den_slow has 151 lines")

    def test_banned_calls(self):
        self.plant("src/low/low.c", "/* Low. */\nvoid f(void)\n{\n    strcpy (a, b);\n    x->gets(1);\n"
                   "    my_atoi(c);\n}\n")
        self.plant("tests/unit/high/test_high.c", '/* T. */\nint n = atoi("1");\n')
        self.expect("functions", "src/low/low.c:4: strcpy is banned", "tests/unit/high/test_high.c:2: atoi is banned")

    def test_many_parameters(self):
        seven = "int a, int b, int (*c)(int x, int y), int d, int e, int f, int g"
        self.plant("src/low/low.h", "/* Low. */\nstruct s {\n    int x;\n};\n\n/* Long. */\nenum den_status den_low("
                   + seven + ")\n    __attribute__((format(printf, 2, 3)));\nstatic inline int ok(" + seven
                   + ")\n{\n    return 0;\n}\nint den_six(const char *format, int b, int c, int d, int e, int f, ...);\n")
        self.plant("src/low/low.c", "/* Low. */\nstatic int quiet(" + seven + ")\n{\n    call(1, 2, 3, 4, 5, 6, 7);\n}\n"
                   "int den_other(" + seven + ")\n{\n}\n")
        self.expect("functions", "src/low/low.h:7: den_low takes 7", "src/low/low.c:6: den_other takes 7")

    def test_excused_parameters(self):
        self.plant("src/low/low.h", "/* Low. */\nint den_low(int a, int b, int c, int d, int e, int f, int g);\n")
        self.plant("tests/tidy/parameters.txt", "den_low: a library calls it\n")
        self.expect("functions")
        self.plant("tests/tidy/parameters.txt", "den_low: a library calls it\nden_gone: so does it\n")
        self.expect("functions", "tests/tidy/parameters.txt:2: 'den_gone' excuses nothing")

    def test_names(self):
        self.plant("src/high/low.h", "/* Another. */\n")
        self.plant("src/low/bare.c", "int x;\n")
        self.expect("names", "src/low/low.h:1: src/high/low.h has the same name", "src/low/bare.c:1: no opening")

    def test_missing_unit_test(self):
        self.plant("src/low/big.c", "/* Big. */\n" + "\n" * 90)
        self.plant("src/low/low_part.c", "/* Part. */\n" + "\n" * 90)
        self.plant("tests/unit/low/test_low.c", "/* Covers low_part.c, too. */\n")
        self.expect("tests", "src/low/big.c:1: has no test")
        self.plant("tests/tidy/untested.txt", "src/low/b*.c: tried by hand\n")
        self.expect("tests")

    def test_stale_excuses(self):
        self.plant("src/low/big.c", "/* Big. */\n" + "\n" * 90)
        self.plant("tests/tidy/untested.txt", "src/low/big.c:\nsrc/gone.c: it was hard\n")
        self.expect("tests", "tests/tidy/untested.txt:1: 'src/low/big.c' has no reason",
                    "tests/tidy/untested.txt:2: 'src/gone.c' excuses nothing")

    def test_docs(self):
        self.plant("src/cli/verb.c", "/* Verb. */\n")
        self.plant("README.md", "x\n./run\n./README.md\nctest --preset quick\n[a](b.md#c) [d](https://e) [f](test)\n")
        self.expect("docs", "docs/internals/cli.md:1: is missing", "README.md:2: './run'", "README.md:3: './README.md'",
                    "README.md:4: CMakePresets.json has no preset 'quick'", "README.md:5: the link to 'b.md'")

    def test_missing_readme(self):
        (Path(self.folder.name) / "README.md").unlink()
        self.expect("docs", "README.md:1: is missing")

    def test_words(self):
        machine = "/" + "wo" + "rk/main"
        host = "https://registry.npm" + "js.org/x"
        tool = "Clau" + "de"
        self.plant("a.txt", f"fine: session, assistant, ~/work/x, src/{'wo' + 'rk'}/er, $H/root/x\n{machine}\n{host}\n{tool}\n")
        self.expect("words", f"a.txt:2: '{machine[:6]}", "a.txt:3: 'registry", f"a.txt:4: '{tool}'")


if __name__ == "__main__":
    unittest.main()
