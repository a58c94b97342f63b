"""Recorded runs: the calls that LibreQoS's Python side made, one JSON object a line, plain or gzipped."""
from __future__ import annotations

import gzip
import inspect
import json
import zlib
from typing import Any, Dict, List, NamedTuple

from sluice_client import BakerySession

from .tool import ToolError

_GZIP = b"\x1f\x8b"

CLEAR = "clear_prior_settings"
"""The call that takes trees away."""
MQ_SETUP = "mq_setup"
"""The call whose lines come from the daemon's own configuration."""
BULK = "execute_tc_commands"
"""The call whose lines are not recorded with it, only their count."""

_SINGLE = (CLEAR, MQ_SETUP, "add_structural_htb_class", "add_circuit_htb_class", "add_circuit_qdisc")


class Call(NamedTuple):
    """One recorded call."""

    name: str
    fields: Dict[str, Any]

    def send(self, session: BakerySession) -> bool:
        """Makes the call again. The bulk call needs its lines in ``commands`` first."""
        acknowledged: bool = getattr(session, self.name)(**self.fields)
        return acknowledged


def read_bytes(path: str) -> bytes:
    """A file, unpacked when it is gzipped. :raises ToolError: when it cannot be read"""
    try:
        with open(path, "rb") as file:
            data = file.read()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        raise ToolError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def read_calls(path: str) -> List[Call]:
    """The calls of a run, in order. :raises ToolError: naming the first line that is no call"""
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    calls = [_call(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not calls:
        raise ToolError(f"There are no calls in {path}. Give the bakery_calls.jsonl of a recorded run.")
    return calls


def _call(line: str, where: str) -> Call:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise ToolError(f"{where}: this is not JSON: {error}") from error
    name = fields.pop("call", None) if isinstance(fields, dict) else None
    if name == BULK:
        return Call(name, fields)
    if name not in _SINGLE:
        raise ToolError(f'{where}: "call" is {name!r}, wanted one of {", ".join((*_SINGLE, BULK))}')
    try:
        # Recorded fields have the names of the arguments; None stands for self.
        inspect.signature(getattr(BakerySession, name)).bind(None, **fields)
    except TypeError as error:
        raise ToolError(f"{where}: {name}: {error}") from error
    return Call(name, fields)
