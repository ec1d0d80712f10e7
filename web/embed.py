#!/usr/bin/env python3
"""Turns the page's sources into what the server hands out.

The sources are some forty ES modules. Served one by one they cost a request each and are compressed
each for itself, which is a third more than all together. So they are joined, by a script small enough
to say here what it does:

- Comments and the white space at the start of lines are left out. Names stay: nothing is minified.
- Each module becomes a block `{ const { a, b } = M.other; ...; M.name = { c, d }; }`, behind the ones it
  imports. What src/main.js imports goes into /app.js; what is only reached by import() (the views that
  are not looked at every day) into /later.js. Circular imports and `export let` are refused.
- The style sheets become one, in the order of STYLES.
- `import ... from "preact"` names a package; it becomes /lib/preact.js. A bare name that is not in
  LIBRARIES is an error, so nothing unknown is ever shipped. LIBRARIES says which files of which npm
  package become which /lib/NAME.js. Temml ships no small ES module but a script that defines one
  global; an export line is added.
- `<!-- modules -->` in index.html becomes one modulepreload link for each file that the page needs at
  once. sw.js learns the names of the files it may keep, and a version that changes with any of them.
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

# In this order: later rules win.
STYLES = ["theme", "layout", "chat", "prose", "views", "desk"]

# name: (files joined in order, line added at the end)
LIBRARIES = {
    "preact": (["preact/dist/preact.mjs"], ""),
    "preact/hooks": (["preact/hooks/dist/hooks.mjs"], ""),
    "htm": (["htm/dist/htm.module.js"], ""),
    "marked": (["marked/lib/marked.esm.js"], ""),
    "temml": (["temml/dist/temml.min.js"], "export default temml;"),
}

# Their licences ask that their text goes along.
LICENSED = ["preact", "htm", "marked", "temml"]

CONTENT_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}

# In our own sources a comment never stands inside a string; tests/web/build.test.mjs sees to it.
COMMENT = re.compile(r"/\*.*?\*/[ \t]?", re.S)
INDENT = re.compile(r"^[ \t]+", re.M)
BLANK = re.compile(r"\n{2,}")

# Group 3 is the module's name in: from "x", import "x", import("x"). Minified code has no spaces.
IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\2""")
STATIC = re.compile(r"""^import\s+(.+?)\s+from\s+"([^"\n]+)";\n?""", re.M | re.S)
LAZY = re.compile(r"""\bimport\("([^"\n]+)"\)""")
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.M)


def fail(message):
    sys.exit(f"embed.py: {message}")


def library_path(name):
    if name not in LIBRARIES:
        fail(f"a module imports '{name}', which LIBRARIES does not list")
    return f"/lib/{name.replace('/', '-')}.js"


def read_library(name):
    files, last_line = LIBRARIES[name]
    parts = []
    for file in files:
        path = MODULES / file
        if not path.exists():
            fail(f"{path} is missing. Run: npm ci --prefix web --omit=dev")
        text = path.read_text(encoding="utf-8")
        parts.append(re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M).strip())
    text = "\n".join(parts + ([last_line] if last_line else [])) + "\n"
    return IMPORT.sub(
        lambda m: m.group(0) if m.group(3)[0] in "./" else f"{m.group(1)}{m.group(2)}{library_path(m.group(3))}{m.group(2)}",
        text)


def is_library(name):
    return not name.startswith((".", "/"))


def resolve(name, where):
    """The file a relative import means."""
    path = (WEB / where).parent / name
    return path.resolve().relative_to(WEB).as_posix()


def read_module(where):
    """(code without comments, [(clause, name)] of its static imports)"""
    if not (WEB / where).exists():
        fail(f"module {where} is imported but does not exist")
    text = COMMENT.sub("", (WEB / where).read_text(encoding="utf-8"))
    imports = STATIC.findall(text)
    return BLANK.sub("\n", INDENT.sub("", STATIC.sub("", text))).strip(), imports


def order_modules(start, done, path=()):
    """`start` and what it imports, each behind what it needs; `done` are left out and added to."""
    if start in path:
        fail(f"circular import: {' -> '.join([*path, start])}")
    if start in done:
        return []
    order = []
    for _, name in read_module(start)[1]:
        if not is_library(name):
            order += order_modules(resolve(name, start), done, (*path, start))
    done.add(start)
    return order + [start]


def stem(where):
    return pathlib.PurePosixPath(where).stem


def bind(clause, source):
    """An import clause as a declaration: `{ a as b }`, `* as x`, or a default."""
    clause = re.sub(r"\s+", " ", clause)
    if clause.startswith("* as "):
        return f"const {clause[5:]} = {source};"
    if clause.startswith("{"):
        return f"const {clause.replace(' as ', ': ')} = {source};"
    return f"const {clause} = {source}.default;"


def join_modules(order, libraries):
    """The text of one joined file; adds the libraries it uses to `libraries`."""
    blocks = []
    for where in order:
        code, imports = read_module(where)
        lines = []
        for clause, name in imports:
            if is_library(name):
                libraries.append(name)
                lines.append(bind(clause, f"L_{re.sub('[^a-z]', '_', name)}"))
            else:
                lines.append(bind(clause, f"M.{stem(resolve(name, where))}"))
        names = [match.group(1) for match in EXPORT.finditer(code)]
        code = EXPORT.sub("", code).replace("export {};", "")
        if "export default " in code:
            code = code.replace("export default ", "const exported = ", 1)
            names.append("default: exported")
        if re.search(r"^(?:export|import)\b[^(]", code, re.M):
            fail(f"{where} has an import or export that the joining does not know")
        code = LAZY.sub(lambda m: lazy(m.group(1), where), code)
        blocks.append("\n".join(["{", *lines, code, f"M.{stem(where)} = {{ {', '.join(names)} }};", "}"]))
    return "\n".join(blocks) + "\n"


def lazy(name, where):
    if is_library(name):
        return f'import("{library_path(name)}")'
    return f'import("/later.js").then(({{ M }}) => M.{stem(resolve(name, where))})'


def library_imports(libraries):
    return "".join(f'import * as L_{re.sub("[^a-z]", "_", name)} from "{library_path(name)}";\n'
                   for name in dict.fromkeys(libraries))


def join_sources():
    """{"/app.js": text, "/later.js": text} and the libraries that app.js imports."""
    done, libraries, later_libraries = set(), [], []
    first = order_modules("src/main.js", done)
    names = [stem(where) for where in first]
    app = join_modules(first, libraries)
    wanted = list(first)
    later = []
    while wanted:
        where = wanted.pop(0)
        text = COMMENT.sub("", (WEB / where).read_text(encoding="utf-8"))
        for name in LAZY.findall(text):
            if not is_library(name):
                more = order_modules(resolve(name, where), done)
                later += more
                wanted += more
    names += [stem(where) for where in later]
    if len(set(names)) != len(names):
        fail(f"two modules share a name: {sorted(n for n in names if names.count(n) > 1)}")
    later_text = join_modules(later, later_libraries)
    return {
        "/app.js": f"{library_imports(libraries)}export const M = {{}};\n{app}",
        "/later.js": f'{library_imports(later_libraries)}import {{ M }} from "/app.js";\nexport {{ M }};\n{later_text}',
    }, [library_path(name) for name in dict.fromkeys(libraries)]


def collect():
    """{path: bytes} of the whole site."""
    files, needed = join_sources()
    for path in sorted(WEB.rglob("*")):
        relative = path.relative_to(WEB)
        if not path.is_file() or relative.parts[0] in ("node_modules", "src", "strings", "css"):
            continue
        if path.suffix not in CONTENT_TYPES:
            continue
        url = "/" + relative.as_posix()
        files[url] = path.read_bytes()
        if path.suffix == ".js":
            files[url] = BLANK.sub("\n", INDENT.sub("", COMMENT.sub("", files[url].decode())))
    sheets = [(WEB / "css" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES]
    files["/app.css"] = BLANK.sub("\n", INDENT.sub("", COMMENT.sub("", "".join(sheets))))
    for name in LIBRARIES:
        files[library_path(name)] = read_library(name)
    files["/licenses.txt"] = "\n\n".join(
        f"=== {name} ===\n\n{(MODULES / name / 'LICENSE').read_text(encoding='utf-8')}" for name in LICENSED)
    links = "\n".join(f'    <link rel="modulepreload" href="{path}">' for path in needed)
    files["/index.html"] = files["/index.html"].decode().replace("    <!-- modules -->", links)
    files = {path: text if isinstance(text, bytes) else text.encode() for path, text in sorted(files.items())}
    kept = sorted(path for path in files if path not in ("/index.html", "/sw.js", "/licenses.txt"))
    version = hashlib.sha256(b"".join(files[path] for path in ["/index.html", *kept])).hexdigest()[:16]
    listed = ", ".join(f'"{path}"' for path in ["/", *kept])
    files["/sw.js"] = (files["/sw.js"].replace(b'"FILES"', listed.encode())
                       .replace(b"VERSION", version.encode()))
    return files


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
        page = files["/index.html"].decode()
        first = {url for url in files if url in page or url in ("/index.html", "/app.js")}
        for url, data in files.items():
            print(f"{len(compress(data)):7d} {'first' if url in first else 'later'} {url}")


if __name__ == "__main__":
    main()
