#!/usr/bin/env python3
"""Joins src/api/openapi/*.json into the description that GET /openapi.json serves.

Each surface describes itself in a fragment of its own: paths, schemas, a tag. A path, a schema or a tag may stand in one
fragment only. server.json has the head (title, version, security). Written as one C array.

    openapi_merge.py FOLDER VERSION OUTPUT      OUTPUT ends in .c, or .json to look at it
"""
import json
import pathlib
import sys


def join(into, more, where):
    for key, value in more.items():
        if isinstance(value, dict) and key in ("paths", "components", "schemas", "securitySchemes"):
            join(into.setdefault(key, {}), value, where)
        elif isinstance(value, list) and key == "tags":
            into.setdefault(key, []).extend(value)
        elif key in into:
            sys.exit(f"{where}: '{key}' is described twice")
        else:
            into[key] = value


def main():
    folder, version, output = sys.argv[1:]
    whole = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        join(whole, json.loads(path.read_text(encoding="utf-8")), path.name)
    whole["info"]["version"] = version
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    if output.endswith(".json"):
        pathlib.Path(output).write_bytes(text)
        return
    rows = [",".join(str(byte) for byte in text[at:at + 24]) for at in range(0, len(text), 24)]
    pathlib.Path(output).write_text(
        "/* Written by src/api/openapi_merge.py. */\n#include \"api/openapi_data.h\"\n\n"
        "const unsigned char den_openapi_data[] = {\n" + ",\n".join(rows) + "\n};\n"
        "const size_t den_openapi_bytes = sizeof den_openapi_data;\n", encoding="utf-8")


if __name__ == "__main__":
    main()
