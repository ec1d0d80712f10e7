#!/usr/bin/env python3
"""Holds structured output against python-jsonschema.

    structured.py DRIVER TOKENIZER [--random N] [--texts N] [--seed N]

Random schemas and the real ones of schemas.json go through DRIVER (structured.c), which draws texts
at random out of the real masks. Every text that came to its own end must be JSON and valid. Values
that are valid and that Den promises to be able to write must be accepted.
"""

import argparse
import json
import pathlib
import random
import string
import subprocess
import sys

import jsonschema

HERE = pathlib.Path(__file__).parent
PATTERNS = ["^[a-z]{2,8}$", "^[A-Z][a-z]+$", r"^\d{3}-\d{4}$", "^(foo|bar|baz)+$", "x", "^a.*z$", r"^\w+@\w+\.com$",
            r"^[^\"\\]{1,5}$", r"^\s?\S+$", "^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$", r"[\u4e00-\u9fff]{2}", "^$|^[!-~]{3}$",
            r"^[^\w]{2}$", r"^\D{3}$", r"^.{2,4}$", r"^(a|b$)", r"^\W$"]
FORMATS = ["date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "hostname", "uri", "duration", "json-pointer",
           "regex", "int32"]
NAMES = ["name", "id", "a", "aa", "b", "type", "value", "naïve", "with space", "quo\"te", "items", "x-1"]


class Schemas:
    """Random schemas of the kind that are supported."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def choose(self, *options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def value(self, depth=2):
        kinds = ["null", "number", "string", "boolean"] + (["list", "object"] if depth else [])
        kind = self.choose(*kinds)
        if kind == "null":
            return None
        if kind == "boolean":
            return self.chance(0.5)
        if kind == "number":
            return self.choose(0, 1, -7, 3.5, 10**12, self.random.randint(-1000, 1000))
        if kind == "string":
            return "".join(self.random.choices(string.printable + "äß漢😀\\\"", k=self.random.randint(0, 6)))
        if kind == "list":
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 3))]
        return {name: self.value(depth - 1) for name in self.random.sample(NAMES, self.random.randint(0, 3))}

    def string_schema(self):
        schema = {"type": "string"}
        kind = self.random.randint(0, 3)
        if kind == 0:
            schema["pattern"] = self.choose(*PATTERNS)
            if self.chance(0.2):
                schema["maxLength"] = self.random.randint(8, 40)
        elif kind == 1:
            schema["format"] = self.choose(*FORMATS)
        elif kind == 2:
            low = self.random.randint(0, 5)
            if self.chance(0.6):
                schema["minLength"] = low
            if self.chance(0.6):
                schema["maxLength"] = low + self.random.randint(0, 40)
        return schema

    def number_schema(self):
        integer = self.chance(0.6)
        schema = {"type": "integer" if integer else "number"}
        low = self.choose(-1000, -5, 0, 1, 17, 999, -0.5, 0.001, 123456789, -(2**40))
        high = low + self.choose(0, 1, 3, 10, 99, 1000, 0.5, 10**6, 10**10)
        if self.chance(0.5):
            schema[self.choose("minimum", "exclusiveMinimum")] = low
        if self.chance(0.5):
            schema[self.choose("maximum", "exclusiveMaximum")] = high + 2
        if self.chance(0.2):
            schema["multipleOf"] = self.choose(1, 2, 5, 7, 10) if integer else self.choose(1, 0.5, 0.25, 2.5, 3)
            # a window that is sure to hold a multiple
            for key in ("maximum", "exclusiveMaximum"):
                schema.pop(key, None)
        return schema

    def array_schema(self, depth):
        schema = {"type": "array"}
        if self.chance(0.8):
            schema["items"] = self.schema(depth - 1)
        if self.chance(0.3):
            schema["prefixItems"] = [self.schema(depth - 1) for _ in range(self.random.randint(1, 3))]
        low = self.random.randint(0, 3)
        if self.chance(0.4):
            schema["minItems"] = low
        if self.chance(0.4):
            schema["maxItems"] = low + self.random.randint(0, 5)
        if self.chance(0.1):
            return {"type": "array", "items": {"enum": ["a", "b", 3, None, {"c": 1}]}, "uniqueItems": True}
        return schema

    def object_schema(self, depth):
        names = self.random.sample(NAMES, self.random.randint(0, 5))
        schema = {"type": "object"}
        if names:
            schema["properties"] = {name: self.schema(depth - 1) for name in names}
            schema["required"] = [name for name in names if self.chance(0.5)]
        if self.chance(0.3):
            schema["additionalProperties"] = self.choose(True, False, {"type": "integer"}, self.schema(depth - 1))
        if self.chance(0.15):
            schema["patternProperties"] = {self.choose("^x-", "^[a-c]+$", "o"): self.scalar()}
        if self.chance(0.1):
            schema["maxProperties"] = len(schema.get("required", [])) + self.random.randint(0, 2)
        if self.chance(0.1) and len(names) > 2:
            schema["dependentRequired"] = {names[0]: [names[1]]}
        return schema

    def scalar(self):
        return self.choose(self.string_schema, self.number_schema, lambda: {"type": "boolean"},
                           lambda: {"type": ["string", "null"]}, lambda: {"enum": [self.value() for _ in range(4)]},
                           lambda: {"const": self.value()})()

    def schema(self, depth):
        if depth <= 0:
            return self.scalar()
        kind = self.random.randint(0, 9)
        if kind < 2:
            return self.scalar()
        if kind < 5:
            return self.object_schema(depth)
        if kind < 7:
            return self.array_schema(depth)
        if kind == 7:
            return {"anyOf": [self.schema(depth - 1) for _ in range(self.random.randint(1, 3))]}
        if kind == 8:
            return {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 9}, self.array_schema(depth)]}
        return {"allOf": [{"type": "object", "properties": {"a": self.scalar()}, "required": ["a"]},
                          {"properties": {"b": self.schema(depth - 1)}, "minProperties": 1}]}

    def root(self):
        schema = self.schema(3)
        if self.chance(0.2):
            schema = {"$defs": {"node": {"type": "object", "properties": {"value": self.scalar(), "next": {
                "anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}, "required": ["value", "next"]}},
                "type": "object", "properties": {"head": {"$ref": "#/$defs/node"}, "own": schema},
                "required": ["head"]}
        return schema


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def validate(schema, text):
    value = json.loads(text, parse_constant=refuse_constant)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return [error.message[:200] for error in validator.iter_errors(value)]


def satisfiable(message):
    """Random schemas may contradict themselves, or have a oneOf or a length that Den refuses by name."""
    return "contradicts itself" not in message


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver")
    parser.add_argument("tokenizer")
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--texts", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    real = json.loads((HERE / "schemas.json").read_text())
    lines = [{"schema": one["schema"], "accept": one.get("accept", []) + one.get("refuse", []), "name": one["name"],
              "expect": [True] * len(one.get("accept", [])) + [False] * len(one.get("refuse", []))} for one in real]
    for index in range(options.random):
        lines.append({"schema": Schemas(options.seed * 1000003 + index).root(), "name": f"random {index}"})
    for index, line in enumerate(lines):
        line.update(count=options.texts * (5 if index < len(real) else 1), seed=options.seed + index)

    run = subprocess.run([options.driver, options.tokenizer], input="".join(json.dumps(line) + "\n" for line in lines),
                         capture_output=True, text=True)
    if run.returncode:
        print(run.stderr)
        return 1
    replies = [json.loads(line) for line in run.stdout.split("\n")[:-1]]
    failures = texts = cut = refused = contradictory = 0
    for index, (line, reply) in enumerate(zip(lines, replies)):
        if "error" in reply:
            contradictory += not satisfiable(reply["error"])
            refused += satisfiable(reply["error"])
            if index < len(real) or (satisfiable(reply["error"]) and reply["status"] != "unsupported"):
                failures += 1
                print(f"{line['name']}: {reply['error']}\n  {json.dumps(line['schema'])[:600]}")
            continue
        cut += reply["cut"]
        for text in reply["texts"]:
            texts += 1
            try:
                errors = validate(line["schema"], text)
            except ValueError as error:
                errors = [str(error)]
            if errors:
                failures += 1
                print(f"{line['name']}: {errors[0]}\n  {json.dumps(line['schema'])[:600]}\n  {text[:300]}")
        for value, expected, found in zip(line.get("accept", []), line.get("expect", []), reply["accepted"]):
            if expected != found:
                failures += 1
                print(f"{line['name']}: {value} should be {'taken' if expected else 'refused'}")
    print(f"{len(lines)} schemas: {texts} texts valid but for {failures}, {cut} cut, {refused} unsupported, "
          f"{contradictory} contradict themselves")
    if len(replies) != len(lines) or texts < len(lines) or cut > texts:
        print("too few texts to tell")
        return 1
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
