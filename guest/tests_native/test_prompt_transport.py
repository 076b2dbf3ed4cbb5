"""How a transport waits: a look before it sleeps, as long as replies are quick."""

import os
import socket
import unittest
from unittest import mock

from fathom_guest.frames import encode_frame
from fathom_native import prompt_transport
from fathom_native.prompt_transport import PromptTransport

_FRAME = encode_frame(4, 1, {"replies": []})


class Clock:
    """Time that passes only when a test says so, and by `step` with each look at it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.step = 0.0
        self.looks = 0

    def __call__(self) -> float:
        self.time += self.step
        self.looks += 1
        return self.time


class PromptTransports(unittest.TestCase):
    def setUp(self) -> None:
        self.host, self.guest = socket.socketpair()
        self.addCleanup(self.host.close)
        self.addCleanup(self.guest.close)
        self.clock = Clock()
        patched = mock.patch.object(prompt_transport, "_now", self.clock)
        patched.start()
        self.addCleanup(patched.stop)
        self.transport = PromptTransport(self.guest.fileno())
        self.transport.open()
        self.addCleanup(self.release)

    def release(self) -> None:
        """The descriptor is the test's to close."""
        own = self.transport._socket
        if isinstance(own, prompt_transport.Socket):
            own.detach()

    def pretend(self, recv: object) -> None:
        """Looks are answered by `recv`."""
        self.release()
        self.transport._socket = mock.Mock(recv=recv)

    def receive(self) -> "bytes | None":
        frame = self.transport.recv_frame()
        return None if frame is None else bytes(frame)

    def test_sleeps_at_first_and_looks_once_a_reply_was_quick(self) -> None:
        looked = mock.patch.object(self.transport, "_look", wraps=self.transport._look).start()
        self.addCleanup(mock.patch.stopall)
        for expected in (0, 1, 2):
            self.host.send(_FRAME)
            self.assertEqual(self.receive(), _FRAME[4:])
            self.assertEqual(looked.call_count, expected)

    def test_looks_until_the_reply_is_there(self) -> None:
        self.host.send(_FRAME)
        self.receive()
        sent = []

        def late(*arguments: object) -> bytes:
            if len(sent) < 5:
                sent.append(arguments)
                raise BlockingIOError
            return _FRAME

        self.pretend(late)
        self.assertEqual(self.receive(), _FRAME[4:])
        self.assertEqual(len(sent), 5)

    def test_gives_up_looking_and_does_not_look_again_after_a_reply_that_was_slow(self) -> None:
        self.host.send(_FRAME)
        self.receive()
        self.clock.step = 0.0001
        recv = mock.Mock(side_effect=BlockingIOError)
        self.pretend(recv)
        self.host.send(_FRAME)
        self.assertEqual(self.receive(), _FRAME[4:])  # slept for it
        self.assertGreater(recv.call_count, 1)
        recv.reset_mock()
        self.host.send(_FRAME)
        self.assertEqual(self.receive(), _FRAME[4:])
        recv.assert_not_called()

    def test_a_default_timeout_of_sockets_is_none_of_ours(self) -> None:
        self.release()
        socket.setdefaulttimeout(5)
        self.addCleanup(socket.setdefaulttimeout, None)
        self.transport.open()
        self.assertTrue(os.get_blocking(self.guest.fileno()))
        self.assertEqual(self.transport._socket.gettimeout(), 0)

    def test_the_end_of_the_stream_is_none(self) -> None:
        self.host.send(_FRAME)
        self.receive()
        self.host.close()
        self.assertIsNone(self.receive())


if __name__ == "__main__":
    unittest.main()
