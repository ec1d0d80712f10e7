#!/usr/bin/env python3
"""What a Python application does with a folder of PDFs and texts: pypdf, LangChain's splitter (1,000 characters, 20 of overlap),
sentence-transformers on the processor. Prints one JSON object.

    pip install pypdf langchain-text-splitters sentence-transformers
    bench/peers/python_ingest.py MODEL_FOLDER PATH... [--threads 2] [--batch 32]
"""
import argparse
import json
import pathlib
import sqlite3
import time

import torch
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pypdf import PdfReader
from sentence_transformers import SentenceTransformer


def text_of(path):
    if path.suffix == ".pdf":
        return "".join(page.extract_text() for page in PdfReader(path).pages)
    return path.read_text(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    model = SentenceTransformer(a.model, device="cpu")
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=20)
    files = sorted(f for path in a.paths for f in (path.rglob("*") if path.is_dir() else [path]) if f.is_file())
    begin, spent = time.perf_counter(), time.process_time()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE chunks (file TEXT, text TEXT, vector BLOB)")
    characters = chunks = 0
    for file in files:
        text = text_of(file)
        pieces = splitter.split_text(text)
        vectors = model.encode(pieces, batch_size=a.batch, show_progress_bar=False) if pieces else []
        database.executemany("INSERT INTO chunks VALUES (?, ?, ?)",
                             [(str(file), piece, vector.tobytes()) for piece, vector in zip(pieces, vectors)])
        characters += len(text)
        chunks += len(pieces)
    database.commit()
    print(json.dumps({"seconds": round(time.perf_counter() - begin, 3), "processor_s": round(time.process_time() - spent, 3), "files": len(files), "chunks": chunks,
                      "characters": characters}))


if __name__ == "__main__":
    main()
