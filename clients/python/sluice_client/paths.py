"""Where the daemon listens."""
from __future__ import annotations

import os


def default_socket() -> str:
    """The daemon's socket: ``/run/sluice/sluice.sock``, below ``SLUICE_ROOT`` when that is set."""
    return os.path.join(os.environ.get("SLUICE_ROOT") or "/", "run/sluice/sluice.sock")
