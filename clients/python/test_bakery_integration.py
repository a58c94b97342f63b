#!/usr/bin/env python3
"""Replays a recorded run of LibreQoS through a live sluiced, and compares what it writes with what LibreQoS wrote."""
from __future__ import annotations

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from bakery_tools.appended import AppendedFile  # noqa: E402
from bakery_tools.expected import read_expected  # noqa: E402
from bakery_tools.recorded import BULK, read_calls  # noqa: E402
from bakery_tools.replay import for_kernel, replay, with_lines  # noqa: E402
from bakery_tools.report import report_calls, report_file, report_verdict  # noqa: E402
from bakery_tools.tool import ToolError, ask_bakery, file_of, run  # noqa: E402
from sluice_client import BakerySession, default_socket  # noqa: E402

EPILOG = """\
The bakery must be in file mode, and the daemon's [shaper] must have the interfaces, capacities, leaf and number of queues of
the recorded run: MqSetup goes by them (set bakery.queues where the machine has fewer CPUs than queues). The daemon's file is only
appended to. While this runs, nobody else should send commands to the bakery.

exit codes: 0 the same, 1 different or failed, 2 wrong usage, 69 the daemon is not there
"""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("calls", metavar="CALLS", help="the recorded calls: bakery_calls.jsonl, or .gz")
    parser.add_argument("expected", metavar="EXPECTED", help="what the generator wrote in the same run: linux_tc.txt")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--bulk-only", action="store_true", help="send all lines in one ExecuteTCCommands, nothing else")
    which.add_argument("--no-bulk", action="store_true", help="leave that one command out")
    parser.add_argument("--socket", metavar="PATH", default=default_socket(), help="default: %(default)s")
    parser.add_argument(
        "--execute",
        action="store_true",
        help="also when the bakery is in execute mode: clears the interfaces, builds the trees call by call in the "
        "kernel, and checks that every call was acknowledged",
    )
    given = parser.parse_args()
    if given.execute and given.bulk_only:
        parser.error("--execute builds the trees call by call: leave --bulk-only out")
    return given


def main() -> int:
    """Replays the run; returns the exit code."""
    given = arguments()
    calls = read_calls(given.calls)
    expected = read_expected(given.expected, calls)
    chosen = [
        with_lines(call, expected)
        for call in calls
        if not (given.bulk_only and call.name != BULK) and not (given.no_bulk and call.name == BULK)
    ]
    if not chosen:
        raise ToolError(f"There is nothing to send: {given.calls} has no such calls. Leave --bulk-only or --no-bulk out.")
    with BakerySession(given.socket) as session:
        bakery = ask_bakery(session)
        if bakery.get("mode") == "file":
            return report_file(replay(session, chosen, AppendedFile(file_of(bakery))), expected)
        if not given.execute:
            raise ToolError(
                "The bakery is in execute mode: this would take down and build anew what shapes the traffic now. "
                "Switch it to file mode, or give --execute where that is what you want."
            )
        well = report_calls(replay(session, for_kernel(chosen), None))
        return report_verdict(well, "all calls were carried out", "not all calls were acknowledged")


if __name__ == "__main__":
    run(main)
