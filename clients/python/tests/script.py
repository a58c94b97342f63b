"""Runs the scripts as an operator does: from some other folder, as processes of their own."""
from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

from places import ROOT


class Ran(NamedTuple):
    """How a script ended."""

    code: int
    out: str
    err: str


def run_script(name: str, *arguments: str) -> Ran:
    """Runs a script to its end."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SLUICE_ROOT")}
    done = subprocess.run(
        [sys.executable, str(ROOT / name), *arguments],
        cwd="/",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
