"""A test with a stand-in for the daemon and a session with it."""
from __future__ import annotations

import logging
import unittest

import places  # noqa: F401 (puts the client on the path)
from fake_daemon import FakeDaemon
from sluice_client import BakerySession


class DaemonCase(unittest.TestCase):
    """``self.daemon`` listens, ``self.session`` talks to it."""

    def setUp(self) -> None:
        self.daemon = self.enter(FakeDaemon())
        self.session = BakerySession(self.daemon.socket_path, timeout=5)
        self.addCleanup(self.session.close)
        # Failures are wanted here; what is logged of them is tested where it is the point.
        log = logging.getLogger("sluice_client")
        quiet = logging.NullHandler()
        log.addHandler(quiet)
        self.addCleanup(log.removeHandler, quiet)

    def enter(self, daemon: FakeDaemon) -> FakeDaemon:
        """Starts a daemon that ends with the test."""
        daemon.__enter__()
        self.addCleanup(daemon.__exit__, None, None, None)
        return daemon

    def failed(self, code: str, *parts: str) -> None:
        """The last request failed with this code, and its error holds these texts."""
        self.assertEqual(self.session.last_code, code, self.session.last_error)
        for part in parts:
            self.assertIn(part, self.session.last_error or "")
