"""A hub on loopback: listings, redirects to a content network, ETags, ranges, gates, and everything that goes wrong.

    hub = Hub(); hub.add("owner/repo", "model-Q4_0.gguf", data); hub.url; hub.close()

The content network is a second server on another port. `hub.trouble` says what goes wrong, by file name or "*":
    {"codes": [503, 503]}       these answers first
    {"retry_after": "1"}        with them
    {"cut": [100_000, ...]}     each answer of the content network breaks off after so many bytes (one entry an answer)
    {"no_ranges": True}         always the whole file
    {"slow": bytes_per_second}  a part at a time
    {"data": other}             what the content network has is something else (a wrong hash)
    {"change_after": n, "to": data}   from the n-th answer with content on, the file is another one
    {"redirects": n}            so many hops before the content
    {"no_length": True}         chunked, no ranges
    {"listed": n}               the listing says that it has so many bytes
`hub.log` holds (server, method, path, headers) of each request.
"""
import hashlib
import http.server
import json
import re
import socket
import threading
import time
import urllib.parse


class Hub:
    def __init__(self, token=None, same_origin=False):
        self.files, self.trouble, self.log = {}, {}, []
        self.counts = {}
        self.token = token
        self.lock = threading.Lock()
        self.active = self.most_active = 0
        self.stopping = threading.Event()
        self.servers = [Server(self, "hub"), Server(self, "cdn")]
        self.url = f"http://127.0.0.1:{self.servers[0].port}"
        self.cdn = self.url if same_origin else f"http://127.0.0.1:{self.servers[1].port}"

    def add(self, repository, path, data, lfs=True):
        self.files[(repository, path)] = (data, lfs)
        return data

    def close(self):
        self.stopping.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def wrong(self, name):
        return {**self.trouble.get("*", {}), **self.trouble.get(name, {})}

    def take(self, name, key):
        """The next entry of a list of troubles."""
        for place in (name, "*"):
            items = self.trouble.get(place, {}).get(key)
            if items:
                with self.lock:
                    return items.pop(0) if items else None
        return None

    def content(self, repository, path):
        """What the file is now, as the changes have it."""
        wrong = self.wrong(path.rpartition("/")[2])
        data = self.files[(repository, path)][0]
        if "change_after" in wrong and self.counts.get(path, 0) >= wrong["change_after"]:
            data = wrong["to"]
        return data

    def requests(self, server=None, pattern=""):
        return [r for r in self.log if (not server or r[0] == server) and re.search(pattern, r[2])]


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub, name):
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub, self.name = hub, name
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, code, headers=(), body=b""):
        self.send_response(code)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        hub = self.server.hub
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        with hub.lock:
            hub.log.append((self.server.name, self.command, self.path, dict(self.headers)))
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/main", path):
            return self.tree(match[1])
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/main/(.+)", path):
            return self.resolve(match[1], match[2])
        if match := re.fullmatch(r"/hop/(\d+)/([^/]+/[^/]+)/(.+)", path):
            return self.hop(int(match[1]), match[2], match[3])
        if match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            return self.bytes_of(match[1], match[2])
        return self.send(404)

    do_HEAD = do_GET

    def refused(self, name):
        hub = self.server.hub
        code = hub.take(name, "codes")
        if not code:
            return False
        wait = hub.wrong(name).get("retry_after")
        self.send(code, [("Retry-After", wait)] if wait else [])
        return True

    def authorised(self):
        token = self.server.hub.token
        if not token or self.headers.get("Authorization") == f"Bearer {token}":
            return True
        self.send(401, [("X-Error-Code", "GatedRepo")])
        return False

    def tree(self, repository):
        hub = self.server.hub
        if not self.authorised() or self.refused("tree"):
            return None
        items = []
        for (owner, path), (data, lfs) in hub.files.items():
            if owner != repository:
                continue
            size = hub.wrong(path.rpartition("/")[2]).get("listed", len(data))
            item = {"type": "file", "path": path, "size": size, "oid": git_hash(data)}
            if lfs:
                item["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": size, "pointerSize": 134}
            items.append(item)
        if not items:
            return self.send(404)
        page = hub.wrong("tree").get("page", len(items))
        at = int(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("cursor", ["0"])[0])
        headers = [("Content-Type", "application/json")]
        if at + page < len(items):
            headers.append(("Link", f'<{hub.url}/api/models/{repository}/tree/main?recursive=true&cursor={at + page}>; rel="next"'))
        return self.send(200, headers, json.dumps(items[at:at + page]).encode())

    def resolve(self, repository, path):
        hub = self.server.hub
        name = path.rpartition("/")[2]
        if not self.authorised() or self.refused(name):
            return None
        if (repository, path) not in hub.files:
            return self.send(404)
        data, lfs = hub.content(repository, path), hub.files[(repository, path)][1]
        if not lfs:
            return self.bytes_of(repository, path)
        hops = hub.wrong(name).get("redirects", 1)
        there = urllib.parse.quote(path)
        where = f"{hub.cdn}/cdn/{repository}/{there}" if hops <= 1 else f"/hop/{hops - 1}/{repository}/{there}"
        return self.send(302, [("Location", where), ("X-Linked-Size", str(len(data))),
                               ("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')])

    def hop(self, left, repository, path):
        where = f"/cdn/{repository}/{path}" if left <= 1 else f"/hop/{left - 1}/{repository}/{path}"
        self.send(307, [("Location", where)])

    def bytes_of(self, repository, path):
        hub = self.server.hub
        name = path.rpartition("/")[2]
        wrong = hub.wrong(name)
        if code := hub.take(name, "cdn_codes"):
            return self.send(code)
        if (repository, path) not in hub.files:
            return self.send(404)
        data = hub.content(repository, path)
        etag = '"' + hashlib.md5(data).hexdigest() + '"'
        if "data" in wrong:
            data = wrong["data"]
        first, last, code = 0, len(data) - 1, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_probe = asked is not None and asked[2] == "0"
        if asked and not wrong.get("no_ranges") and not wrong.get("no_length") and \
                self.headers.get("If-Range") in (None, etag):
            first, last, code = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1), 206
            if first >= len(data):
                return self.send(416, [("Content-Range", f"bytes */{len(data)}")])
        with hub.lock:
            if not is_probe:
                hub.counts[path] = hub.counts.get(path, 0) + 1
        self.send_response(code)
        if not wrong.get("no_etag"):
            self.send_header("ETag", etag)
        if code == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        if wrong.get("no_length"):
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command != "HEAD":
            self.pour(name, data, first, last + 1, is_probe, wrong)
        return None

    def pour(self, name, data, at, end, is_probe, wrong):
        hub = self.server.hub
        cut = None if is_probe else hub.take(name, "cut")
        stop = end if cut is None else min(end, at + cut)
        piece = 65536 if "slow" not in wrong else max(1, wrong["slow"] // 10)
        with hub.lock:
            hub.active += 1
            hub.most_active = max(hub.active, hub.most_active)
        try:
            while at < stop and not hub.stopping.is_set():
                block = data[at:min(stop, at + piece)]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if wrong.get("no_length") else block)
                at += len(block)
                if "slow" in wrong and not is_probe:
                    hub.stopping.wait(0.1)
            if wrong.get("no_length") and stop == end:
                self.wfile.write(b"0\r\n\r\n")
        finally:
            with hub.lock:
                hub.active -= 1
        if stop < end:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    hub = Hub()
    hub.add("owner/model-GGUF", "model-Q4_K_M.gguf", bytes(20_000_000))
    print(hub.url, flush=True)
    while True:
        time.sleep(60)
