"""OpenAI's package for Node: tests/api/node/openai.test.mjs against a running server. The package is fetched by ./test."""
import os
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "node"


@pytest.mark.skipif(not shutil.which("node") or not (FOLDER / "node_modules/openai").exists(),
                    reason="npm ci --prefix tests/api/node")
def test_openai_for_node(server):
    done = subprocess.run(["node", "--test", "openai.test.mjs"], cwd=FOLDER, capture_output=True, text=True,
                          env={**os.environ, "DEN_URL": server.url})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
