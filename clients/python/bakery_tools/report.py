"""The report of a replay: counts, named differences, diffs, and a verdict."""
from __future__ import annotations

from typing import List

from .expected import Expected
from .recorded import BULK, CLEAR, MQ_SETUP
from .replay import Sent
from .tool import FAILED, OK

_CLEARED = "clear-prior-settings: the generator runs these itself and does not write them"
_CONFIGURATION = (
    "The first lines are MqSetup's, and come from the daemon's own configuration: its interfaces, capacities, leaf and "
    "number of queues (bakery.queues) must be those of the recorded run."
)
# Failures that are shown; one cause often fails hundreds of calls.
_SHOWN = 10


def _row(name: str, text: str) -> None:
    print(f"{name:<18} {text}")


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def report_calls(sent: List[Sent]) -> bool:
    """Prints what became of the calls; True when all were acknowledged."""
    failures = [(number, one) for number, one in enumerate(sent, 1) if one.error is not None]
    _row("calls sent", str(len(sent)))
    _row("acknowledged", str(len(sent) - len(failures)))
    for number, one in failures[:_SHOWN]:
        print(f"  call {number}, {one.call.name}: {one.error}")
    if len(failures) > _SHOWN:
        print(f"  and {len(failures) - _SHOWN} more")
    return not failures


def report_verdict(well: bool, yes: str, no: str) -> int:
    """Prints the verdict; returns the exit code."""
    _row("verdict", yes if well else no)
    return OK if well else FAILED


def report_file(sent: List[Sent], expected: Expected) -> int:
    """Prints how what the daemon wrote compares; returns the exit code."""
    well = report_calls(sent)
    singles = [one for one in sent if one.call.name not in (CLEAR, BULK)]
    diff: List[str] = []
    if singles:
        diff += expected.diff(b"".join(one.written for one in singles), "sluiced, call by call")
        _row("lines compared", f"{len(expected.lines)} call by call")
    for one in (one for one in sent if one.call.name == BULK):
        diff += expected.diff(one.written, "sluiced, in bulk")
        _row("lines compared", f"{len(expected.lines)} in bulk, byte by byte")
    cleared = b"".join(one.written for one in sent if one.call.name == CLEAR).decode("utf-8", "backslashreplace")
    named = cleared.splitlines()
    _row("named differences", f"{_CLEARED} ({_lines(len(named))})" if named else "none")
    for line in named:
        print(f"  {line}")
    for line in diff:
        print(line)
    if any(one.call.name == MQ_SETUP and not expected.data.startswith(one.written) for one in singles):
        print(_CONFIGURATION)
    same = "the daemon wrote what the generator wrote"
    return report_verdict(well and not diff, same, "different" if diff else "not all calls were acknowledged")
