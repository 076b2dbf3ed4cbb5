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
        for name, value in (("_now", self.clock), ("_MAY_LOOK", True)):
            patched = mock.patch.object(prompt_transport, name, value)
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

    def be_quick(self, times: int = prompt_transport._ROW) -> None:
        for _ in range(times):
            self.host.send(_FRAME)
            self.assertEqual(self.receive(), _FRAME[4:])

    def test_sleeps_at_first_and_looks_once_several_replies_were_quick(self) -> None:
        with mock.patch.object(self.transport, "_look", wraps=self.transport._look) as look:
            self.be_quick()
            look.assert_not_called()
            self.be_quick(3)
            self.assertEqual(look.call_count, 3)

    def test_looks_until_the_reply_is_there(self) -> None:
        self.be_quick()
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
        self.be_quick()
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

    def test_never_looks_on_a_single_processor(self) -> None:
        with mock.patch.object(prompt_transport, "_MAY_LOOK", False):
            with mock.patch.object(self.transport, "_look") as look:
                self.be_quick(2 * prompt_transport._ROW)
                look.assert_not_called()

    def test_a_default_timeout_of_sockets_is_none_of_ours(self) -> None:
        self.release()
        socket.setdefaulttimeout(5)
        self.addCleanup(socket.setdefaulttimeout, None)
        self.transport.open()
        self.assertTrue(os.get_blocking(self.guest.fileno()))
        self.assertEqual(self.transport._socket.gettimeout(), 0)

    def test_the_end_of_the_stream_is_none(self) -> None:
        self.be_quick()
        self.host.close()
        self.assertIsNone(self.receive())


if __name__ == "__main__":
    unittest.main()
