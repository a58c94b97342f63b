"""Where things lie; importing it puts the client on the path, wherever the tests are started."""
from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the client and its scripts."""

GOLDEN = ROOT.parents[2] / "shared" / "golden" / "libreqos"
"""Recorded runs of LibreQoS: they are large, and lie beside the project; tests of them are skipped where they do not."""

sys.path.insert(0, str(ROOT))
