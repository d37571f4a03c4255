"""A stand-in for the server of the Hugging Face Hub: repositories in memory, by the few requests that runs need."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Store(ThreadingHTTPServer):
    """Creates a server on a free port; `files` holds each repository's files, `asked` the paths that were asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub does."""

    server: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._read()

    def do_GET(self) -> None:
        self._read()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[1:] == ["repos", "create"]:
            told = json.loads(body)
            name = f"{told['organization']}/{told['name']}" if told.get("organization") else told["name"]
            self.server.files.setdefault(name, {})
            self._send({"url": f"{self.server.url}/{name}", "id": name})
        elif parts[1:] == ["validate-yaml"]:
            self._send({"errors": [], "warnings": []})
        elif parts[4] == "preupload":
            files = json.loads(body)["files"]
            self._send(
                {"files": [{"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in files]}
            )
        elif parts[4] == "commit":
            files = self.server.files["/".join(parts[2:4])]
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"{self.server.url}/{'/'.join(parts[2:4])}/commit/{COMMIT}"
            self._send({"commitUrl": url, "commitOid": COMMIT, "success": True})
        else:
            self._refuse("EntryNotFound")

    def _read(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.server.asked.append(path)
        parts = path.split("/")
        name = "/".join(parts[2:4]) if parts[0] == "api" else "/".join(parts[:2])
        files = self.server.files.get(name)
        if files is None:
            return self._refuse("RepoNotFound")
        revision = parts[5] if parts[0] == "api" and len(parts) > 5 else parts[3] if parts[0] != "api" else "main"
        if revision not in ("main", "v1", COMMIT):
            return self._refuse("RevisionNotFound")
        if parts[0] == "api" and "tree" in parts:
            known = {each: hashlib.sha1(content).hexdigest() for each, content in files.items()}
            return self._send(
                [{"type": "file", "path": each, "size": len(files[each]), "oid": oid} for each, oid in known.items()]
            )
        if parts[0] == "api":
            siblings = [{"rfilename": each} for each in files]
            return self._send(
                {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
            )
        content = files.get("/".join(parts[4:]))
        return self._refuse("EntryNotFound") if content is None else self._give(content)

    def _give(self, content: bytes) -> None:
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        self._answer(200, content, {"ETag": etag, "X-Repo-Commit": COMMIT, "Content-Type": "application/octet-stream"})

    def _send(self, values: Any) -> None:
        self._answer(200, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _refuse(self, code: str) -> None:
        self._answer(404, b"", {"X-Error-Code": code, "X-Error-Message": code})

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def serve() -> Iterator[Store]:
    """Yields a server for as long as the context lasts."""
    with Store() as store:
        thread = threading.Thread(target=store.serve_forever, daemon=True)
        thread.start()
        yield store
        store.shutdown()
