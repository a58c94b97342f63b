"""Connections that are absent, kept, closed and cut."""
from __future__ import annotations

import os
import select
import threading
import unittest
from typing import ContextManager, List
from unittest import mock

from case import DaemonCase
from fake_daemon import ACK, SILENCE, Reply, problem, refusal

from sluice_client import BakerySession
from sluice_client.transport import Transport


def unnoticed() -> ContextManager[object]:
    """The daemon's close crosses a request on its way: the client cannot have seen it."""
    return mock.patch.object(Transport, "_drop_unless_alive", lambda self: None)


class ConnectionTest(DaemonCase):
    """One connection for many requests"""

    def used(self) -> List[int]:
        """Which connection each request came on."""
        return [request.connection for request in self.daemon.requests]

    def test_daemon_absent(self) -> None:
        path = os.path.join(self.daemon.root, "nobody.sock")
        self.session = BakerySession(path)
        self.assertIs(self.session.mq_setup(), False)
        self.failed("DAEMON_DOWN", f"Cannot reach sluiced at {path}: No such file", "systemctl start sluiced")
        self.assertIsNone(self.session.status())
        self.assertIsNone(self.session.bakery())

    def test_a_path_too_long_for_a_socket(self) -> None:
        self.session = BakerySession("/" + "x" * 200)
        self.assertIs(self.session.mq_setup(), False)
        self.failed("DAEMON_DOWN", "too long")

    def test_no_right_to_use_the_socket(self) -> None:
        with mock.patch("socket.socket.connect", side_effect=PermissionError(13, "Permission denied")):
            self.assertIs(self.session.mq_setup(), False)
        self.failed("DAEMON_DENIED", "join the group")

    def test_one_connection_is_reused(self) -> None:
        for _ in range(3):
            self.assertTrue(self.session.mq_setup())
        self.session.status()
        self.assertEqual(self.used(), [1, 1, 1, 1])

    def test_leaving_the_context_closes_and_a_later_command_connects_anew(self) -> None:
        with self.session as session:
            session.mq_setup()
        self.assertTrue(session.mq_setup())
        self.assertEqual(self.used(), [1, 2])

    def test_a_connection_that_idled_long_is_not_trusted(self) -> None:
        self.session.mq_setup()
        with mock.patch("sluice_client.transport._IDLE", -1.0):
            self.assertTrue(self.session.mq_setup())
        self.assertEqual(self.used(), [1, 2])

    def test_an_idle_connection_that_was_closed_is_replaced(self) -> None:
        self.daemon.hang_up = True
        self.assertTrue(self.session.mq_setup())
        self.wait_for_close()
        self.assertTrue(self.session.mq_setup())
        self.assertEqual(self.used(), [1, 2])

    def test_a_command_that_did_not_get_out_is_sent_once_more(self) -> None:
        self.daemon.hang_up = True
        self.assertTrue(self.session.mq_setup())
        self.wait_for_close()
        with unnoticed():
            self.assertTrue(self.session.mq_setup())
        self.assertEqual(self.used(), [1, 2])

    def wait_for_close(self) -> None:
        """Until the daemon's end of the kept connection is closed both ways; http.server ends its writing first."""
        poll = select.poll()
        poll.register(self.session._transport._connection.sock, 0)
        self.assertEqual([event for _, event in poll.poll(5000)], [select.POLLHUP])

    def test_a_command_that_was_sent_is_never_sent_again(self) -> None:
        self.session.status()
        self.daemon.answer = lambda command: SILENCE
        self.assertIs(self.session.mq_setup(), False)
        self.failed("ANSWER_LOST", "what became of MqSetup", "may have been carried out")
        self.assertEqual(len(self.daemon.commands), 1)

    def test_a_question_that_was_sent_on_a_kept_connection_is_asked_again(self) -> None:
        self.session.mq_setup()
        handle, replies = self.daemon.handle, iter([SILENCE])
        self.daemon.handle = lambda request: next(replies, None) or handle(request)  # type: ignore[method-assign]
        self.assertIsNotNone(self.session.status())

    def test_an_answer_that_is_cut_off(self) -> None:
        self.daemon.answer = lambda command: ACK._replace(cut=10)
        self.assertIs(self.session.mq_setup(), False)
        self.failed("ANSWER_LOST", "may have been carried out")
        self.daemon.answer = lambda command: ACK
        self.assertTrue(self.session.mq_setup())
        self.assertEqual(len(self.daemon.commands), 2)

    def test_an_answer_that_does_not_come_in_time(self) -> None:
        late = threading.Event()
        self.addCleanup(late.set)

        def stall(command: object) -> Reply:
            late.wait(5)
            return SILENCE

        self.daemon.answer = stall
        self.session = BakerySession(self.daemon.socket_path, timeout=0.05)
        self.assertIs(self.session.mq_setup(), False)
        self.failed("ANSWER_LOST", "timed out")

    def test_a_body_that_is_refused_unread_fails_with_the_daemons_reason(self) -> None:
        self.daemon.refuse_unread = refusal(413, problem("REQUEST_TOO_LARGE", "The body has more than 33554432 bytes"))
        self.assertIs(self.session.execute_tc_commands(["x" * 1000] * 10_000, False), False)
        self.failed("REQUEST_TOO_LARGE", "more than 33554432 bytes")

    def test_threads_share_a_session(self) -> None:
        results: List[bool] = []
        threads = [threading.Thread(target=lambda: results.append(self.session.mq_setup())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [True] * 8)
        self.assertEqual(set(self.used()), {1})


if __name__ == "__main__":
    unittest.main()
