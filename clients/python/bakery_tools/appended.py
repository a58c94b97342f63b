"""Reads what the daemon appends to its file, from where the file ended before."""
from __future__ import annotations

import os
from typing import Optional, Tuple

from .tool import ToolError


class AppendedFile:
    """A file that grows, from its present end on.

    The daemon puts a file that has grown too large aside as ``FILE.1`` and begins another; nothing is missed by that.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode, self._end = _state(path)

    def read_new(self) -> bytes:
        """What was appended since the last call. :raises ToolError: when the file cannot be read"""
        inode, _ = _state(self.path)
        rest = b""
        if self._inode is not None and inode != self._inode:
            aside = f"{self.path}.1"
            if _state(aside)[0] == self._inode:
                rest = _read(aside, self._end)
            self._end = 0
        self._inode = inode
        if inode is None:
            return rest
        new = _read(self.path, self._end)
        self._end += len(new)
        return rest + new


def _state(path: str) -> Tuple[Optional[int], int]:
    """Inode and size; of a file that is not there yet, none and 0."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None, 0
    except OSError as error:
        raise _unreadable(path, error) from error
    return found.st_ino, found.st_size


def _read(path: str, start: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> ToolError:
    return ToolError(f"Cannot read {path}: {error.strerror}. Run this on the daemon's machine, as a user who may read it.")
