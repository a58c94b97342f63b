#!/usr/bin/env python3
"""Says whether sluiced is there, where the bakery's commands go, and whether one harmless command gets there."""
from __future__ import annotations

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from bakery_tools.appended import AppendedFile  # noqa: E402
from bakery_tools.tool import FAILED, OK, ask_bakery, ask_status, file_of, run  # noqa: E402
from sluice_client import BakerySession, default_socket  # noqa: E402

# An interface of this name does not exist: in the kernel, the line cannot do anything but fail.
PROBE = "qdisc del dev sluice-diag0 root"

EPILOG = f"""\
The command is `{PROBE}`, on an interface that does not exist. In file mode it must be written to the
file; in execute mode the kernel must refuse it, and the daemon must say so.

exit codes: 0 all is well, 1 something is not, 2 wrong usage, 69 the daemon is not there
"""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--socket", metavar="PATH", default=default_socket(), help="default: %(default)s")
    return parser.parse_args()


def row(name: str, text: str) -> None:
    """Prints one thing that is known."""
    print(f"{name:<8} {text}")


def verdict(code: int, text: str) -> int:
    """Prints what it comes to; returns the exit code."""
    row("verdict", text)
    return code


def probe_file(session: BakerySession, path: str) -> int:
    """Sends the command where it is written to a file, and shows what was written."""
    file = AppendedFile(path)
    if not session.execute_tc_commands([PROBE], False):
        row("answer", f"Fail: {session.last_error}")
        return verdict(FAILED, "the bakery does not take commands")
    written = file.read_new().decode("utf-8", "backslashreplace").splitlines()
    row("answer", f"Ack; {path} has these lines more:")
    for line in written:
        print(f"  {line}")
    if PROBE not in written:
        return verdict(FAILED, "the command was acknowledged, but its line is not in the file")
    return verdict(OK, "the bakery writes what it is told")


def probe_kernel(session: BakerySession) -> int:
    """Sends the command where it is carried out, and shows that its failure is told."""
    if session.execute_tc_commands([PROBE], False):
        row("answer", "Ack")
        return verdict(FAILED, "the command cannot have succeeded, but was acknowledged: failures are not reported")
    row("answer", f"Fail: {session.last_error}")
    # Any other failure (busy, not configured) is none of the kernel's.
    if session.last_code != "BAKERY_LINES":
        return verdict(FAILED, "the command did not get to the kernel")
    return verdict(OK, "failures are reported, as they should be")


def main() -> int:
    """Looks and tries; returns the exit code."""
    given = arguments()
    with BakerySession(given.socket) as session:
        status = ask_status(session)
        about = f"sluiced {status.get('version')}, pid {status.get('pid')}, {status.get('state')}: {status.get('text')}"
        row("daemon", about)
        bakery = ask_bakery(session)
        to_file = bakery.get("mode") == "file"
        where = f"to {file_of(bakery)}" if to_file else "to the kernel"
        row("mode", f"{bakery.get('mode')}: commands go {where}")
        counts = f"{bakery.get('waiting')} of at most {bakery.get('bound')} commands"
        row("waiting", f"{counts}; {bakery.get('carriedOut')} carried out so far, {bakery.get('failed')} failed")
        row("probe", PROBE)
        return probe_file(session, file_of(bakery)) if to_file else probe_kernel(session)


if __name__ == "__main__":
    run(main)
