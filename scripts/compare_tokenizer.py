#!/usr/bin/env python3
"""Compares den tokenize with the package tokenizers on whole files, for a GGUF of byte-level BPE.

    python3 scripts/compare_tokenizer.py build/release/den MODEL.gguf TEXT...

The reference is built from the vocabulary and merges of the GGUF itself and the pre-tokenizer of its family as written
in that family's tokenizer.json. Prints ids compared and the reference's speed; exits 1 on the first difference. Needs the
packages gguf and tokenizers.
"""
import json
import subprocess
import sys
import time

from gguf import GGUFReader
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
LLAMA3 = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
PRE = {
    "gpt-2": GPT2,
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), GPT2]),
    "llama-bpe": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), BYTES]),
    "qwen2": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3.replace("{1,3}", "")), "isolated"), BYTES]),
}


def reference(path):
    fields = GGUFReader(path).fields

    def value(key):
        return fields["tokenizer.ggml." + key].contents()

    names, kinds = value("tokens"), value("token_type")
    tokenizer = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names)},
                                     merges=[tuple(merge.split(" ")) for merge in value("merges")],
                                     ignore_merges=value("pre") == "llama-bpe"))
    tokenizer.pre_tokenizer = PRE[value("pre")]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False)
                                  for name, kind in zip(names, kinds) if kind == 3])
    return tokenizer


def main():
    den, model, *texts = sys.argv[1:]
    tokenizer = reference(model)
    for path in texts:
        text = open(path, encoding="utf-8", newline="").read()
        start = time.process_time()
        wanted = tokenizer.encode(text, add_special_tokens=False).ids
        seconds = time.process_time() - start
        run = subprocess.run([den, "tokenize", "-m", model, "--no-special", "--json", "-"], input=text.encode(),
                             stdout=subprocess.PIPE, check=True)
        ids = json.loads(run.stdout)
        if ids != wanted:
            at = next((i for i, (a, b) in enumerate(zip(ids, wanted)) if a != b), min(len(ids), len(wanted)))
            sys.exit(f"{path}: differs at token {at}: {ids[at:at + 8]}, reference {wanted[at:at + 8]}")
        print(f"{path}: {len(ids)} ids agree; the reference ran at {len(text.encode()) / seconds / 1e6:.1f} MB/s")


main()
