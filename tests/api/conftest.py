"""Starts the real `den serve`. DEN_PROGRAM names the program (build/release/den by default), DEN_TEST_MODEL the model
(the default one, which must be installed)."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

import openai
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("DEN_PROGRAM", str(ROOT / "build/release/den"))
MODEL = os.environ.get("DEN_TEST_MODEL", "smollm2")


def default_home():
    data = os.environ.get("XDG_DATA_HOME", os.path.expanduser("~/.local/share"))
    return pathlib.Path(os.environ.get("DEN_HOME", f"{data}/den"))


class Answer:
    """One HTTP answer, read to its end."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.http = int(lines[0].split()[1]) if lines[0].startswith("HTTP/") else 0
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json()["error"]


class Server:
    """A running `den serve`, and the ways to talk to it."""

    def __init__(self, process, line):
        self.process = process
        self.line = line
        self.port = int(re.search(r"https?://\S+?:(\d+)", line).group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def client(self, key="none"):
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)

    def connect(self, receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def begin(self, method, path, body=None, headers=None, **options):
        """Sends a request and returns the connection, unread."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", **(headers or {})}
        if body is not None:
            lines.setdefault("Content-Length", str(len(body)))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None)
        connection = self.connect(**options)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head.encode("latin-1") + b"\r\n" + (body or b""))
        return connection

    def ask(self, method, path, body=None, headers=None):
        return read_answer(self.begin(method, path, body, headers))

    def chat(self, content, **fields):
        """The body of a chat request that always gives the same answer."""
        return {"messages": [{"role": "user", "content": content}], "temperature": 0, **fields}


def read_answer(connection):
    data = b""
    with connection, contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return Answer(data)


@contextlib.contextmanager
def serve(scratch, *arguments, model=MODEL):
    """`model` None: whichever there is."""
    home = scratch / "home"
    if not home.exists():
        home.mkdir()
        if (default_home() / "models").exists():
            (home / "models").symlink_to(default_home() / "models")
    env = {**os.environ, "DEN_HOME": str(home), "XDG_CONFIG_HOME": str(scratch / "config")}
    log = scratch / "serve.log"
    with log.open("a") as written:
        process = subprocess.Popen([PROGRAM, "serve", *(["-m", model] if model else []), "--port", "0", *map(str, arguments)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=written, text=True, env=env)
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Server(process, line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        errors = log.read_text()
        assert process.returncode == 0, errors
        assert "Sanitizer" not in errors, errors


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("den")) as running:
        yield running
