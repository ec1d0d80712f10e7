#!/usr/bin/env python3
"""Turns the page's sources into what the server hands out.

There is no bundler: a module is served line by line as it was written, under the path it has below web/.
What this script does to it is small enough to say here:

- Comments that fill whole lines are left out; they are a third of the bytes.
- `import ... from "preact"` names a package; browsers want a path and the page's content policy forbids
  an inline import map. Bare names are rewritten to /lib/NAME.js. A bare name that is not in LIBRARIES is
  an error, so nothing unknown is ever shipped.
- LIBRARIES says which files of which npm package become which /lib/NAME.js. Packages that ship no small
  ES module (DOMPurify, Prism, Temml) are scripts that define one global; an export line is added.
- `<!-- modules -->` in index.html becomes one modulepreload link for each module that the page needs at
  once, so that the browser fetches them in one round and not level by level.
- Everything is gzipped with level 9 and no time stamp. The same input gives the same bytes.

    embed.py --c FILE      a C file that defines den_asset_find() (src/api/assets.h)
    embed.py --folder DIR  the same bytes unzipped, for development without the C server
    embed.py --sizes       a table of gzipped sizes
"""

import argparse
import gzip
import hashlib
import pathlib
import re
import sys

WEB = pathlib.Path(__file__).resolve().parent
MODULES = WEB / "node_modules"

PRISM_LANGUAGES = """markup css clike javascript c cpp python bash json yaml sql rust go java typescript
    diff csharp kotlin ini makefile""".split()

# name: (files joined in order, line added at the end)
LIBRARIES = {
    "preact": (["preact/dist/preact.mjs"], ""),
    "preact/hooks": (["preact/hooks/dist/hooks.mjs"], ""),
    "htm": (["htm/dist/htm.module.js"], ""),
    "marked": (["marked/lib/marked.esm.js"], ""),
    "dompurify": (["dompurify/dist/purify.min.js"], "export default globalThis.DOMPurify;"),
    "prismjs": (
        ["prismjs/components/prism-core.min.js"]
        + [f"prismjs/components/prism-{language}.min.js" for language in PRISM_LANGUAGES],
        "export default Prism;",
    ),
    "temml": (["temml/dist/temml.min.js"], "export default temml;"),
}

# Their licences ask that their text goes along.
LICENSED = ["preact", "htm", "marked", "dompurify", "prismjs", "temml"]

CONTENT_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

# A comment with nothing but space before and behind it. Casts (a comment, then code) stay.
WHOLE_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.M | re.S)

# Group 3 is the module's name in: from "x", import "x", import("x"). Minified code has no spaces.
IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\2""")


def fail(message):
    sys.exit(f"embed.py: {message}")


def library_path(name):
    return f"/lib/{name.replace('/', '-')}.js"


def rewrite_imports(text, where):
    """Bare names become /lib paths; relative ones stay."""

    def one(match):
        name = match.group(3)
        if name.startswith((".", "/")):
            return match.group(0)
        if name not in LIBRARIES:
            fail(f"{where} imports '{name}', which LIBRARIES does not list")
        return f"{match.group(1)}{match.group(2)}{library_path(name)}{match.group(2)}"

    return IMPORT.sub(one, text)


def read_library(name):
    files, last_line = LIBRARIES[name]
    parts = ["globalThis.Prism = { manual: true };"] if name == "prismjs" else []
    for file in files:
        path = MODULES / file
        if not path.exists():
            fail(f"{path} is missing. Run: npm ci --prefix web --omit=dev")
        text = path.read_text(encoding="utf-8")
        parts.append(re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M).strip())
    return "\n".join(parts + ([last_line] if last_line else [])) + "\n"


def static_imports(text):
    """Paths a module needs before it runs: `import ... from` and not import()."""
    return [m.group(3) for m in IMPORT.finditer(text) if "(" not in m.group(1)]


def without_comments(text):
    """Only for finding imports: JSDoc speaks of import("x") too."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def modules_needed(files, start):
    """The module graph from `start`, in the order of discovery."""
    seen, waiting = [], [start]
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        if path not in files:
            fail(f"module {path} is imported but does not exist")
        seen.append(path)
        folder = pathlib.PurePosixPath(path).parent
        for name in static_imports(without_comments(files[path])):
            joined = name if name.startswith("/") else str(folder / name)
            parts = []
            for part in joined.split("/"):
                if part == "..":
                    parts.pop()
                elif part not in ("", "."):
                    parts.append(part)
            waiting.append("/" + "/".join(parts))
    return seen


def collect():
    """{path: bytes} of the whole site."""
    files = {}
    for path in sorted(WEB.rglob("*")):
        relative = path.relative_to(WEB)
        if not path.is_file() or relative.parts[0] == "node_modules" or path.name.endswith(".d.ts"):
            continue
        if path.suffix not in CONTENT_TYPES or path.name == "types.js":
            continue
        text = path.read_text(encoding="utf-8")
        url = "/" + relative.as_posix()
        if path.suffix in (".js", ".css"):
            text = WHOLE_COMMENT.sub("", text)
        files[url] = rewrite_imports(text, url) if path.suffix == ".js" else text
    for name in LIBRARIES:
        files[library_path(name)] = rewrite_imports(read_library(name), name)
    files["/licenses.txt"] = "\n\n".join(
        f"=== {name} ===\n\n{(MODULES / name / 'LICENSE').read_text(encoding='utf-8')}" for name in LICENSED)
    needed = modules_needed(files, "/src/main.js")
    links = "\n".join(f'    <link rel="modulepreload" href="{path}">' for path in needed)
    files["/index.html"] = files["/index.html"].replace("    <!-- modules -->", links)
    return {path: text.encode() for path, text in sorted(files.items())}


def compress(data):
    return gzip.compress(data, compresslevel=9, mtime=0)


def write_c(path, files):
    """One array per file and a table sorted by path, searched by halves."""
    lines = ['/* Written by web/embed.py: the page, gzipped. */', '#include "api/assets.h"', "",
             "#include <stdlib.h>", "#include <string.h>", ""]
    table = []
    names = dict(files)
    names["/"] = names["/index.html"]
    for number, (url, data) in enumerate(sorted(names.items())):
        packed = compress(data)
        kind = CONTENT_TYPES[pathlib.PurePosixPath(url if url != "/" else "/index.html").suffix]
        etag = hashlib.sha256(data).hexdigest()[:20]
        lines.append(f"static const unsigned char data_{number}[] = {{")
        for start in range(0, len(packed), 24):
            lines.append("    " + "".join(f"{byte}," for byte in packed[start : start + 24]))
        lines.append("};")
        table.append(f'    {{ "{url}", "{kind}", "\\"{etag}\\"", data_{number}, '
                     f"sizeof data_{number} }},")
    lines += ["", "static const struct den_asset assets[] = {", *table, "};", "",
              "static int compare_path(const void *path, const void *asset)", "{",
              "    return strcmp(path, ((const struct den_asset *)asset)->path);", "}", "",
              "const struct den_asset *den_asset_find(const char *path)", "{",
              "    return bsearch(path, assets, sizeof assets / sizeof *assets, sizeof *assets,",
              "                   compare_path);", "}", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def write_folder(folder, files):
    for url, data in files.items():
        target = folder / url[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--c", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--folder", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--sizes", action="store_true")
    options = parser.parse_args()
    files = collect()
    if options.c:
        write_c(options.c, files)
    if options.folder:
        write_folder(options.folder, files)
    if options.sizes:
        first = set(modules_needed({u: d.decode() for u, d in files.items()}, "/src/main.js"))
        first |= {u for u in files if not u.endswith((".js", ".txt"))}
        for url, data in files.items():
            print(f"{len(compress(data)):7d} {'first' if url in first else 'later'} {url}")


if __name__ == "__main__":
    main()
