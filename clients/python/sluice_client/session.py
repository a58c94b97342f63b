"""The bakery's commands as methods that say True or False, as LibreQoS's Python side expects them."""
from __future__ import annotations

import json
import logging
from types import TracebackType
from typing import Any, Dict, Optional, Sequence, Type

from . import commands as make
from .errors import ClientError, unreadable
from .paths import default_socket
from .transport import Transport

# Without a NullHandler: a script that never set logging up is to see on stderr why a command failed.
_log = logging.getLogger("sluice_client")


class BakerySession:
    """Commands to the daemon, in LibreQoS's names and argument order.

    Each returns True when the daemon acknowledged it and False when not, whatever the daemon or the connection was at fault
    with; the reason is logged and stands in ``last_error``. Arguments of the wrong type raise TypeError, as they do
    anywhere in Python. Threads may share a session, but ``last_error`` is then that of whoever asked last.

    :param socket_path: where the daemon listens; ``SLUICE_ROOT`` and its usual place unless told
    :param timeout: seconds without a byte after which an answer is given up
    :param wait: True answers when a command has been carried out, False when it has been queued, as LibreQoS did
    """

    def __init__(self, socket_path: Optional[str] = None, timeout: Optional[float] = 60.0, wait: bool = True) -> None:
        self._transport = Transport(default_socket() if socket_path is None else socket_path, timeout)
        self._wait = wait
        self.last_error: Optional[str] = None
        """Why the last request failed, with what to do about it; None when it did not."""
        self.last_code: Optional[str] = None
        """The code of that failure, for programs: ``BAKERY_BUSY``, ``DAEMON_DOWN``, ``ANSWER_LOST``."""

    @property
    def socket_path(self) -> str:
        """Where the daemon is looked for."""
        return self._transport.socket_path

    def clear_prior_settings(self) -> bool:
        """Takes the trees of both interfaces away, those that have an mq at their root."""
        return self._send(make.clear_prior_settings())

    def mq_setup(self) -> bool:
        """Makes mq, HTBs, root and default classes of both interfaces, as the daemon's configuration says."""
        return self._send(make.mq_setup())

    def add_structural_htb_class(
        self, interface: str, parent: str, classid: str, rate_mbps: float, ceil_mbps: float, site_hash: int, r2q: int
    ) -> bool:
        """Adds the class of a node.

        :param parent: ``0x1:`` or ``0x1:0x3``
        :param classid: the minor alone, ``0x4``
        :param rate_mbps: Mbit/s, as ``ceil_mbps``
        :param site_hash: :func:`hash_to_i64` of the node's name
        :param r2q: divides bytes per second into a quantum
        """
        return self._send(
            make.add_structural_htb_class(interface, parent, classid, rate_mbps, ceil_mbps, site_hash, r2q)
        )

    def add_circuit_htb_class(
        self,
        interface: str,
        parent: str,
        classid: str,
        rate_mbps: float,
        ceil_mbps: float,
        circuit_hash: int,
        comment: Optional[str] = None,
        r2q: int = 10,
    ) -> bool:
        """Adds the class of a circuit in one direction; arguments as for a node's.

        :param circuit_hash: :func:`hash_to_i64` of the circuit's id
        :param comment: for people; no line has it
        """
        return self._send(
            make.add_circuit_htb_class(
                interface, parent, classid, rate_mbps, ceil_mbps, circuit_hash, comment, r2q
            )
        )

    def add_circuit_qdisc(
        self, interface: str, parent_major: int, parent_minor: int, circuit_hash: int, sqm_params: Sequence[str]
    ) -> bool:
        """Adds the leaf of a circuit in one direction.

        :param sqm_params: kind and options as tc's words, ``["cake", "diffserv4"]``
        """
        return self._send(
            make.add_circuit_qdisc(interface, parent_major, parent_minor, circuit_hash, sqm_params)
        )

    def execute_tc_commands(self, commands: Sequence[str], force_mode: bool) -> bool:
        """Has lines for tc carried out in one batch.

        :param force_mode: True goes on after a line that fails (``tc -force``)
        """
        return self._send(make.execute_tc_commands(commands, force_mode))

    def status(self) -> Optional[Dict[str, Any]]:
        """What the daemon is and does: ``version``, ``pid``, ``state``, ``text``; None when it cannot be asked."""
        return self._get("/v1/status")

    def bakery(self) -> Optional[Dict[str, Any]]:
        """Where commands go: ``mode``, ``file``, ``waiting``, ``bound``; None when the daemon cannot be asked."""
        return self._get("/v1/bakery")

    def close(self) -> None:
        """Closes the connection; the session can still be used, and makes another."""
        self._transport.close()

    def __enter__(self) -> BakerySession:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _send(self, command: make.Command) -> bool:
        what = str(command["command"])
        target = f"/v1/bakery/commands?wait={'true' if self._wait else 'false'}"
        try:
            answer = self._transport.request("POST", target, what, _encode(what, command))
            if answer.get("answer") != "Ack":
                raise unreadable(f"{what} was answered by {answer!r}, wanted Ack")
        except ClientError as error:
            self._failed(what, error)
            return False
        self.last_error = self.last_code = None
        return True

    def _get(self, target: str) -> Optional[Dict[str, Any]]:
        what = f"GET {target}"
        try:
            answer = self._transport.request("GET", target, what)
        except ClientError as error:
            self._failed(what, error)
            return None
        self.last_error = self.last_code = None
        return answer

    def _failed(self, what: str, error: ClientError) -> None:
        self.last_error, self.last_code = str(error), error.code
        _log.error("%s: %s [%s]", what, error, error.code)


def _encode(what: str, command: make.Command) -> bytes:
    try:
        return json.dumps(command, allow_nan=False).encode("ascii")
    except ValueError as error:
        # Rates come from files: one that is not a number is a failure like others, and no reason to end the caller.
        raise ClientError("BAKERY_COMMAND", f"Cannot send {what}: {error}", "Give rates in Mbit/s, 0 or more") from error
