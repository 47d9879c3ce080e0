"""A Hub on this machine's loopback that the real client speaks to. The repo's owner says how it behaves."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


class Hub:
    """files: (repo, path) -> bytes. Owners: good, flipped, truncated, dropped, missing, broken; others are served as uploaded."""

    def __init__(self, delay: float = 0.0) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.delay = delay
        self.asked: set[tuple[str, str]] = set()  # (repo, revision) of every file that was asked for
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.get(self, body=False)

            def do_GET(self) -> None:
                hub.get(self, body=True)

            def do_POST(self) -> None:
                hub.post(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        time.sleep(self.delay)
        path = request.path.strip("/")
        if path.startswith("api/models/"):
            answer(request, 200, json.dumps({"id": path.split("/")[2], "sha": COMMIT, "siblings": []}).encode())
            return
        if "/resolve/" not in path:
            answer(request, 200, b"", body=body)
            return
        repo, rest = path.split("/resolve/")
        revision, file = rest.split("/", 1)
        self.asked.add((repo, revision))
        owner = repo.split("/")[0]
        if owner == "broken":
            answer(request, 500, b"out of order", body=body)
            return
        raw = self.files.get((repo, file))
        if raw is None or owner == "missing":
            answer(request, 404, b"", {"X-Error-Code": "EntryNotFound"}, body=body)
            return
        if owner == "flipped":
            raw = raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:]
        if owner == "truncated":
            raw = raw[: len(raw) // 2]
        answer(request, 200, raw, {"ETag": f'"{owner}{len(raw)}"', "X-Repo-Commit": COMMIT}, body=body, kept=owner != "dropped")

    def post(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers["Content-Length"]))
        path = request.path.strip("/")
        if path == "api/repos/create":
            name = json.loads(raw)
            answer(
                request,
                200,
                json.dumps({"url": f"{self.address}/{name.get('organization')}/{name['name']}", "name": name["name"]}).encode(),
            )
        elif path == "api/validate-yaml":
            answer(request, 200, json.dumps({"errors": [], "warnings": []}).encode())
        elif "/preupload/" in path:
            listed = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(raw)["files"]]
            answer(request, 200, json.dumps({"files": listed}).encode())
        elif "/commit/" in path:
            repo = path.removeprefix("api/models/").split("/commit/")[0]
            for line in raw.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[repo, entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            done = {"commitUrl": f"{self.address}/{repo}/commit/{COMMIT}", "commitOid": COMMIT, "hookOutput": "", "success": True}
            answer(request, 200, json.dumps(done).encode())
        else:
            answer(request, 404, b"")


def answer(
    request: BaseHTTPRequestHandler, code: int, raw: bytes, headers: dict[str, str] | None = None, body: bool = True, kept: bool = True
) -> None:
    """One reply; with kept=False the connection breaks off in the middle of the body."""
    request.send_response(code)
    for name, value in {"Content-Length": str(len(raw)), "Content-Type": "application/json", **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    if body:
        request.wfile.write(raw if kept else raw[: len(raw) // 2])
    request.close_connection = request.close_connection or not kept
