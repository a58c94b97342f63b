"""The frame of a script: its session with the daemon, its exit codes, and errors in words."""
from __future__ import annotations

import logging
import sys
from typing import Any, Callable, Dict, NoReturn

from sluice_client import BakerySession

OK = 0
FAILED = 1
# As the command line's: EX_UNAVAILABLE of sysexits.h.
UNAVAILABLE = 69
# Ended by Ctrl-C, as shells count it.
INTERRUPTED = 130


class ToolError(Exception):
    """Ends a script: what is wrong, for people, and the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def run(main: Callable[[], int]) -> NoReturn:
    """Runs a script to its exit code. The answer is on stdout, errors are on stderr."""
    # The scripts say themselves why a command failed; the client need not log it as well.
    logging.getLogger("sluice_client").addHandler(logging.NullHandler())
    try:
        code = main()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        code = error.code
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def fail(session: BakerySession) -> NoReturn:
    """Ends the script with the session's last error.

    :raises ToolError: always; 69 when the daemon is not there
    """
    raise ToolError(str(session.last_error), UNAVAILABLE if session.last_code == "DAEMON_DOWN" else FAILED)


def ask_status(session: BakerySession) -> Dict[str, Any]:
    """The daemon's status. :raises ToolError: when it does not tell"""
    return session.status() or fail(session)


def ask_bakery(session: BakerySession) -> Dict[str, Any]:
    """Where the bakery's commands go. :raises ToolError: when the daemon does not tell"""
    return session.bakery() or fail(session)


def file_of(bakery: Dict[str, Any]) -> str:
    """The file that commands are written to. :raises ToolError: when the answer names none"""
    path = bakery.get("file")
    if not isinstance(path, str):
        raise ToolError(f"GET /v1/bakery names no file: {bakery!r}. Check that daemon and client have the same version.")
    return path
