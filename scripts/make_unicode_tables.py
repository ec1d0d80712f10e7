#!/usr/bin/env python3
"""Writes src/text/unicode_tables.inc: what the normalizers need of the Unicode character database.

The tables come from Python's own unicodedata module, so that the build needs no download. Run it again to move to a
newer Unicode version:  python3 scripts/make_unicode_tables.py > src/text/unicode_tables.inc

Five tables, each sorted for binary search:
  categories      where each run of one general category begins: code << 8 | category
  classes         runs of one non-zero combining class: first, last, class
  decompositions  code, start and length of its full canonical and of its full compatibility decomposition
  compositions    primary composites: first, second, result
  lowercase       runs of characters whose lower case is one character: first, last, step, distance
"""
import sys
import unicodedata as ucd

LAST = 0x10FFFF
CATEGORIES = ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
              "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"]
HANGUL = range(0xAC00, 0xD7A4)


def array(kind, name, rows):
    lines = [f"static const {kind} {name}[] = {{"]
    for row in rows:
        if len(lines[-1]) + len(row) + 1 > 100 or len(lines) == 1:
            lines.append("")
        lines[-1] += row + ","
    return "\n".join(lines + ["};"])


def categories():
    rows, last = [], None
    for code in range(LAST + 1):
        category = CATEGORIES.index(ucd.category(chr(code)))
        if category != last:
            rows.append(f"0x{code << 8 | category:X}")
            last = category
    return array("uint32_t", "category_runs", rows)


def classes():
    runs = []
    for code in range(LAST + 1):
        value = ucd.combining(chr(code))
        if not value:
            continue
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == value:
            runs[-1][1] = code
        else:
            runs.append([code, code, value])
    return array("struct class_run", "class_runs", [f"{{0x{a:X},0x{b:X},{c}}}" for a, b, c in runs])


def decompositions():
    pool, places, rows = [], {}, []

    def place(codes):
        key = tuple(codes)
        if key not in places:
            places[key] = len(pool)
            pool.extend(codes)
        return places[key]

    for code in range(LAST + 1):
        if code in HANGUL or 0xD800 <= code <= 0xDFFF:
            continue
        canonical = [ord(c) for c in ucd.normalize("NFD", chr(code))]
        compatible = [ord(c) for c in ucd.normalize("NFKD", chr(code))]
        if compatible == [code]:
            continue
        length = 0 if canonical == [code] else len(canonical)
        start = place(canonical) if length else 0
        rows.append(f"{{0x{code:X},{start},{place(compatible)},{length},{len(compatible)}}}")
    return (array("uint32_t", "decomposition_pool", [f"0x{c:X}" for c in pool]) + "\n\n" +
            array("struct decomposition", "decompositions", rows))


def compositions():
    rows = []
    for code in range(LAST + 1):
        if code in HANGUL or 0xD800 <= code <= 0xDFFF:
            continue
        parts = ucd.decomposition(chr(code)).split()
        if len(parts) != 2 or parts[0].startswith("<"):
            continue
        first, second = (int(p, 16) for p in parts)
        if ucd.normalize("NFC", chr(first) + chr(second)) == chr(code):  # false for composition exclusions
            rows.append((first, second, code))
    rows.sort()
    return array("struct composition", "compositions", [f"{{0x{a:X},0x{b:X},0x{c:X}}}" for a, b, c in rows])


def lowercase():
    runs = []
    for code in range(LAST + 1):
        if 0xD800 <= code <= 0xDFFF:
            continue
        lower = chr(code).lower()
        if lower == chr(code) or len(lower) != 1:
            continue
        distance = ord(lower) - code
        last = runs[-1] if runs else None
        if last and last[3] == distance and (code - last[1] == last[2] or (last[0] == last[1] and code - last[1] <= 2)):
            last[2] = code - last[1]
            last[1] = code
        else:
            runs.append([code, code, 1, distance])
    return array("struct lowercase_run", "lowercase_runs",
                 [f"{{0x{a:X},0x{b:X},{s},{d}}}" for a, b, s, d in runs])


def main():
    parts = [f"/* Made by scripts/make_unicode_tables.py from Unicode {ucd.unidata_version}. Don't edit. */",
             "/* clang-format off */",
             categories(), classes(), decompositions(), compositions(), lowercase(), "/* clang-format on */"]
    sys.stdout.write("\n\n".join(parts) + "\n")


main()
