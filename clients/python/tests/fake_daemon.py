"""A stand-in for sluiced: its bakery's routes on a Unix socket, with whatever fault a test wants."""
from __future__ import annotations

import json
import os
import shutil
import socketserver
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Type

Json = Dict[str, Any]


class Reply(NamedTuple):
    """What is answered: a status and a body, or less than that."""

    status: int
    body: bytes
    cut: Optional[int] = None
    """After so many bytes of the body the connection is closed; None sends all of it."""
    silent: bool = False
    """True closes the connection without a word."""


class Request(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    content_type: Optional[str]
    body: Any
    connection: int
    """Counts connections from 1."""


ACK = Reply(200, b'{"schema":"sluice/bakery-answer/1","answer":"Ack"}')
SILENCE = Reply(0, b"", silent=True)


def refusal(status: int, *problems: Json) -> Reply:
    """A refusal as the daemon words it."""
    return Reply(status, json.dumps({"schema": "sluice/error/1", "problems": problems}).encode())


def problem(code: str, message: str, remedy: str = "Mend it") -> Json:
    """One thing that is wrong."""
    return {"code": code, "severity": "error", "message": message, "remedy": remedy}


class FakeDaemon:
    """Listens from ``with`` on, in a folder of its own that goes when it does."""

    def __init__(self) -> None:
        self.root = tempfile.mkdtemp(prefix="sluice-client-")
        os.makedirs(os.path.join(self.root, "run/sluice"))
        self.socket_path = os.path.join(self.root, "run/sluice/sluice.sock")
        self.file = os.path.join(self.root, "bakery.txt")
        self.mode = "file"
        self.requests: List[Request] = []
        self.connections = 0
        self.answer: Callable[[Json], Reply] = lambda command: ACK
        """Answers a command."""
        self.lines: Callable[[Json], List[str]] = lambda command: list(command.get("commands", []))
        """The lines that an acknowledged command appends to the file."""
        self.hang_up = False
        """Closes connections after their first answer, without having said so."""
        self.refuse_unread: Optional[Reply] = None
        """Answers with this before the body is read, and closes."""
        self._server = _Server(self)

    @property
    def commands(self) -> List[Json]:
        """The bodies of commands that came."""
        return [request.body for request in self.requests if request.method == "POST"]

    def handle(self, request: Request) -> Reply:
        """Answers a request and keeps it."""
        self.requests.append(request)
        if request.method == "POST":
            return self._command(request.body)
        if request.target == "/v1/status":
            return _json(
                {"schema": "sluice/status/1", "version": "0.1.0", "pid": 42, "state": "ready", "text": "at rest"}
            )
        counts = {"waiting": 0, "bound": 1024, "carriedOut": 3, "failed": 1}
        return _json({"schema": "sluice/bakery/1", "mode": self.mode, "file": self.file, **counts, "tag": "bakery"})

    def _command(self, command: Json) -> Reply:
        reply = self.answer(command)
        if reply == ACK and self.mode == "file":
            with open(self.file, "a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self.lines(command))
        return reply

    def __enter__(self) -> FakeDaemon:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self.root)


def _json(body: Json) -> Reply:
    return Reply(200, json.dumps(body).encode())


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, daemon: FakeDaemon) -> None:
        self.daemon = daemon
        super().__init__(daemon.socket_path, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.daemon.connections += 1
        self.number = self.server.daemon.connections

    def _serve(self) -> None:
        daemon = self.server.daemon
        if daemon.refuse_unread:
            self._reply(daemon.refuse_unread)
            self.close_connection = True
            return
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(data) if data else None
        request = Request(self.command, self.path, self.headers.get("Content-Type"), body, self.number)
        self._reply(daemon.handle(request))
        if daemon.hang_up:
            self.close_connection = True

    do_GET = do_POST = _serve  # noqa: N815 (the names are http.server's)

    def _reply(self, reply: Reply) -> None:
        if reply.silent:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: reply.cut])
        if reply.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the tests' output is theirs."""
