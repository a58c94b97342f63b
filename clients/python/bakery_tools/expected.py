"""What LibreQoS's Python generator wrote, and how what the daemon wrote differs from it."""
from __future__ import annotations

import difflib
from typing import List, NamedTuple

from .recorded import BULK, Call, read_bytes
from .tool import ToolError


class Expected(NamedTuple):
    """A ``linux_tc.txt``."""

    path: str
    data: bytes

    @property
    def lines(self) -> List[str]:
        """Its lines, as the bulk call takes them."""
        text = self.data.decode("utf-8", "replace")
        return (text[:-1] if text.endswith("\n") else text).split("\n")

    def diff(self, data: bytes, name: str) -> List[str]:
        """A unified diff to other bytes; empty when they are the same."""
        if data == self.data:
            return []
        return list(difflib.unified_diff(_shown(self.data), _shown(data), self.path, name, lineterm=""))


def read_expected(path: str, calls: List[Call]) -> Expected:
    """Reads the file. :raises ToolError: when it cannot be read, or is not of the run that the calls are of"""
    expected = Expected(path, read_bytes(path))
    if not expected.data:
        raise ToolError(f"{path} is empty. Give the linux_tc.txt of the recorded run.")
    for call in calls:
        count = call.fields.get("count")
        if call.name == BULK and count is not None and count != len(expected.lines):
            raise ToolError(
                f"{path} has {len(expected.lines)} lines, but the run executed {count}. "
                "Give the linux_tc.txt of the same run."
            )
    return expected


def _shown(data: bytes) -> List[str]:
    # Split at line feeds alone, and with the empty rest behind the last: what differs in bytes differs in the diff.
    return data.decode("utf-8", "backslashreplace").split("\n")
