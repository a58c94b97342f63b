"""Sends recorded calls through a live daemon, and keeps what it wrote for each."""
from __future__ import annotations

from typing import List, NamedTuple, Optional

from sluice_client import BakerySession

from .appended import AppendedFile
from .expected import Expected
from .recorded import BULK, CLEAR, Call
from .tool import UNAVAILABLE, ToolError


class Sent(NamedTuple):
    """A call that was made."""

    call: Call
    error: Optional[str]
    """Why it was not acknowledged; None when it was."""
    written: bytes
    """What the daemon appended to its file meanwhile."""


def with_lines(call: Call, expected: Expected) -> Call:
    """The bulk call with the lines that were not recorded with it; others as they are."""
    if call.name != BULK:
        return call
    return Call(BULK, {"commands": expected.lines, "force_mode": bool(call.fields.get("force_mode", False))})


def for_kernel(calls: List[Call]) -> List[Call]:
    """The calls in the order in which a kernel takes them: what stood is cleared first, and nothing is made twice."""
    clears = [call for call in calls if call.name == CLEAR]
    return clears + [call for call in calls if call.name not in (CLEAR, BULK)]


def replay(session: BakerySession, calls: List[Call], file: Optional[AppendedFile]) -> List[Sent]:
    """Makes the calls one after the other.

    :param file: where the daemon writes; None when it writes nothing
    :raises ToolError: 69 when the daemon goes away meanwhile
    """
    sent: List[Sent] = []
    for number, call in enumerate(calls, 1):
        acknowledged = call.send(session)
        if session.last_code == "DAEMON_DOWN":
            raise ToolError(f"Call {number} of {len(calls)}, {call.name}: {session.last_error}", UNAVAILABLE)
        written = file.read_new() if file else b""
        sent.append(Sent(call, None if acknowledged else session.last_error, written))
    return sent
