"""HTTP over the daemon's Unix socket, on one connection that is kept for the next request."""
from __future__ import annotations

import http.client
import os
import select
import socket
import threading
import time
from typing import Any, Dict, Optional

from .answers import read_answer
from .errors import lost, unreachable, unreadable, unsent

# Seconds. The daemon closes what has been idle for 5: a connection is given up before, so that no command crosses the
# close on its way and is lost without anybody knowing whether it was read.
_IDLE = 2.0


class _Stale(Exception):
    """A kept connection that turned out closed, and a request that can be sent once more without harm."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: Optional[float]) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connecting.settimeout(self.timeout)
        try:
            connecting.connect(self._path)
        except BaseException:
            connecting.close()
            raise
        self.sock = connecting


class Transport:
    """Requests to the daemon, one at a time. Threads may share it.

    :param socket_path: where the daemon listens
    :param timeout: seconds without a byte after which an answer is given up; None waits for ever
    """

    def __init__(self, socket_path: str, timeout: Optional[float]) -> None:
        self.socket_path = socket_path
        self._connection = _UnixConnection(socket_path, timeout)
        self._lock = threading.Lock()
        self._used_at = 0.0
        self._pid = os.getpid()

    def request(self, method: str, target: str, what: str, body: Optional[bytes] = None) -> Dict[str, Any]:
        """Sends a request and returns the object that answers it.

        A kept connection that the daemon has closed is replaced once. What was sent whole is never sent again, unless it
        only reads.

        :param what: the request in words, for errors
        :raises ClientError: whatever the daemon, the connection or the answer is at fault with
        """
        with self._lock:
            self._drop_unless_alive()
            try:
                try:
                    return self._exchange(method, target, what, body)
                except _Stale:
                    self._connection.close()
                    return self._exchange(method, target, what, body)
            except BaseException:
                # An answer that is still under way (after Ctrl-C, say) must not be taken for that of the next request.
                self._connection.close()
                raise

    def close(self) -> None:
        """Closes the connection; the next request makes another."""
        with self._lock:
            self._connection.close()

    def _drop_unless_alive(self) -> None:
        """Closes a kept connection that is not sure to be good for another request."""
        kept = self._connection.sock
        if kept is None:
            return
        poll = select.poll()
        poll.register(kept, select.POLLIN)
        # Nothing is awaited here: what can be read is the end, or an answer that nobody asked for. After a fork, the
        # connection belongs to the parent.
        if poll.poll(0) or time.monotonic() - self._used_at > _IDLE or os.getpid() != self._pid:
            self._connection.close()
            self._pid = os.getpid()

    def _exchange(self, method: str, target: str, what: str, body: Optional[bytes]) -> Dict[str, Any]:
        connection = self._connection
        fresh = connection.sock is None
        if fresh:
            try:
                connection.connect()
            except OSError as error:
                raise unreachable(self.socket_path, error) from error
        failed = self._send(method, target, body)
        if isinstance(failed, socket.timeout):
            raise unsent(what, failed) from failed
        if failed is not None and not fresh:
            raise _Stale from failed
        try:
            response = connection.getresponse()
            status, answer = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            if failed is not None or method != "GET":
                raise (lost(what, error) if failed is None else unsent(what, failed)) from error
            if not fresh:
                raise _Stale from error
            raise unreadable(str(error)) from error
        if failed is not None:
            connection.close()
        self._used_at = time.monotonic()
        return read_answer(status, answer)

    def _send(self, method: str, target: str, body: Optional[bytes]) -> Optional[Exception]:
        """Sends a request; what is returned is why the daemon did not get all of it.

        A daemon that closes early may have said why (a body that is too large): the caller looks for an answer first.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(method, target, body, headers)
        except OSError as error:
            return error
        return None
