"""A W&B server on this machine, as much of it as the client needs to send runs, artifacts and files.

The answers are what wandb 0.31 asks for when it syncs; a real server does much more, and may differ.
"""

import gzip
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

KEY = "0123456789abcdef" * 2 + "01234567"
"""Has the form of a key; no server would take it."""


@dataclass
class SentRun:
    """What a server was sent of a run."""

    about: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    complete: bool = False

    @property
    def config(self) -> dict[str, Any]:
        """The config without W&B's own part."""
        config = json.loads(self.about.get("config") or "{}")
        return {name: item["value"] for name, item in config.items() if name != "_wandb"}


class Backend(ThreadingHTTPServer):
    """A server that ``takes`` all it is sent, ``refuses`` every key, ``hangs``, or ``stalls`` once it opened a run."""

    daemon_threads = True

    def __init__(self, behaviour: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.runs: dict[str, SentRun] = {}
        self.artifacts: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.asked = 0
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that left; pass on what is wrong with this file."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            raise error


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Backend

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer any request."""
        body = self._body()
        self.server.asked += 1
        if self.server.behaviour == "hangs" or (self.server.behaviour == "stalls" and "file_stream" in self.path):
            self.server.released.wait()
            return
        if self.server.behaviour == "refuses":
            self._send(401, {"errors": [{"message": "permission denied"}]})
            return
        self._send(200, self._answer(unquote(self.path), body))

    do_GET = do_PUT = do_POST

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send(self, code: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, path: str, body: bytes) -> Any:
        if path == "/graphql":
            asked = json.loads(body)
            name = asked.get("operationName") or ""
            found = getattr(self, f"_{name}", None)
            return {"data": found(asked.get("variables") or {}) if found else {}}
        if match := re.fullmatch(r"/files/[^/]*/[^/]*/([^/]+)/file_stream", path):
            self._take(self.server.runs.setdefault(match[1], SentRun()), json.loads(body))
        elif path.startswith("/upload/"):
            self.server.files[path.removeprefix("/upload/")] = body
        return {}

    @staticmethod
    def _take(run: SentRun, sent: dict[str, Any]) -> None:
        files = sent.get("files") or {}
        if lines := files.get("wandb-history.jsonl"):
            run.history[lines["offset"] :] = [json.loads(line) for line in lines["content"]]
        for line in files.get("wandb-summary.json", {}).get("content", ()):
            run.summary = json.loads(line)
        run.complete = run.complete or bool(sent.get("complete"))

    def _UpsertBucket(self, told: dict[str, Any]) -> Any:
        run = self.server.runs.setdefault(told["name"], SentRun())
        run.about |= {name: value for name, value in told.items() if value is not None}
        project = {"id": "P", "name": told.get("project") or "p", "entity": {"id": "E", "name": "somebody"}}
        bucket = {"id": told["name"], "name": told["name"], "displayName": told.get("displayName"), "config": "{}"}
        more = {"description": "", "sweepName": "", "historyLineCount": len(run.history), "project": project}
        return {"upsertBucket": {"bucket": bucket | more, "inserted": True}}

    def _RunResumeStatus(self, told: dict[str, Any]) -> Any:
        run = self.server.runs.get(told["name"])
        if run is None:
            return {"model": {"id": "P", "name": "p", "entity": {"id": "E", "name": "somebody"}, "bucket": None}}
        tail = json.dumps([json.dumps(line) for line in run.history[-1:]])
        bucket = {
            "id": told["name"], "name": told["name"], "summaryMetrics": json.dumps(run.summary), "displayName": "",
            "logLineCount": 0, "historyLineCount": len(run.history), "eventsLineCount": 0, "historyTail": tail,
            "eventsTail": "[]", "config": run.about.get("config") or "{}", "tags": [], "notes": "",
            "wandbConfig": '{"t": 1}',
        }  # fmt: skip
        return {"model": {"id": "P", "name": "p", "entity": {"id": "E", "name": "somebody"}, "bucket": bucket}}

    def _CreateArtifact(self, told: dict[str, Any]) -> Any:
        name = told["input"]["artifactCollectionName"]
        self.server.artifacts[name] = told["input"]["artifactTypeName"]
        found = {"id": name, "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
        return {"createArtifact": {"artifact": found}}

    def _CreateArtifactManifest(self, told: dict[str, Any]) -> Any:
        file = self._file(f"manifest/{told['artifactID']}")
        return {"createArtifactManifest": {"artifactManifest": {"id": "M", "file": file}}}

    def _CreateArtifactFiles(self, told: dict[str, Any]) -> Any:
        files = [
            self._file(f"artifact/{one['artifactID']}/{one['name']}")
            | {"name": one["name"], "artifact": {"id": one["artifactID"]}, "storagePath": one["name"]}
            for one in told["input"]["artifactFiles"]
        ]
        return {"createArtifactFiles": {"files": {"edges": [{"node": file} for file in files]}}}

    def _CommitArtifact(self, told: dict[str, Any]) -> Any:
        return {"commitArtifact": {"artifact": {"id": told["artifactID"], "digest": "d"}}}

    def _CreateRunFiles(self, told: dict[str, Any]) -> Any:
        files = [self._file(f"run/{told['run']}/{name}") | {"name": name} for name in told["files"]]
        return {"createRunFiles": {"runID": told["run"], "uploadHeaders": [], "files": files}}

    def _file(self, name: str) -> dict[str, Any]:
        url = f"{self.server.url}/upload/{name}"
        return {"id": name, "name": name, "displayName": name, "uploadUrl": url, "uploadHeaders": []}


@contextmanager
def serving(behaviour: str = "takes") -> Iterator[Backend]:
    """Serve on a free port of this machine; see `Backend` for what it does."""
    backend = Backend(behaviour)
    thread = threading.Thread(target=backend.serve_forever, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        backend.released.set()
        backend.shutdown()
        backend.server_close()
        thread.join()
