"""Frames, texts and transports."""

import os
import socket
import threading
import unittest

from fathom_guest.frames import decode_frame, decode_text, dumps, encode_frame, encode_text, loads, split_parts
from fathom_guest.transport import FdTransport


class Frames(unittest.TestCase):
    def test_come_back_as_they_were(self) -> None:
        frame = encode_frame(3, 77, {"op": "x", "parts": [2, 0, 3]}, (b"ab", b"", b"cde"))
        kind, ident, header, body = decode_frame(memoryview(frame)[4:])
        self.assertEqual((kind, ident, header["op"]), (3, 77, "x"))
        self.assertEqual([bytes(part) for part in split_parts(header, body)], [b"ab", b"", b"cde"])
        self.assertEqual(int.from_bytes(frame[:4], "little"), len(frame) - 4)

    def test_headers_are_ascii_json(self) -> None:
        self.assertEqual(dumps({"é\ud800": [1, None, True, "\n"]}), '{"\\u00e9\\ud800":[1,null,true,"\\n"]}')
        self.assertEqual(loads('{"a":[1,{"b":null}]}'), {"a": [1, {"b": None}]})
        with self.assertRaises(ValueError):
            dumps({"a": float("nan")})
        with self.assertRaises(TypeError):
            dumps({"a": object()})

    def test_surrogates_that_make_a_character_leave_as_it(self) -> None:
        self.assertEqual(encode_text("\ud83c\udf78 \ud83d\ude00\ud83d x"), "🍸 😀\ufffd x".encode())

    def test_lone_surrogates_leave_as_replacement_and_arrive_as_they_are(self) -> None:
        self.assertEqual(encode_text("a\udfff\ud800b😀"), "a\ufffd\ufffdb😀".encode())
        self.assertEqual(decode_text(b"\xed\xa0\x80x"), "\ud800x")


class Pipes(unittest.TestCase):
    def setUp(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self.addCleanup(os.close, self.read_end)

    def test_frames_arrive_whole_however_the_stream_is_cut(self) -> None:
        frames = [
            encode_frame(4, index, {"n": index}, (b"x" * size,)) for index, size in enumerate((0, 1, 500, 90_000, 3))
        ]
        stream = b"".join(frames)
        for step in (7, 4096, 65_536, len(stream)):
            with self.subTest(step=step):
                writer = threading.Thread(target=self._write, args=(stream, step))
                writer.start()
                transport = FdTransport(self.read_end)
                got = [bytes(transport.recv_frame() or b"") for _ in frames]
                writer.join()
                self.assertEqual(got, [frame[4:] for frame in frames])
                self.assertFalse(transport.has_frame())

    def _write(self, stream: bytes, step: int) -> None:
        for start in range(0, len(stream), step):
            piece = memoryview(stream)[start : start + step]
            while piece:
                piece = piece[os.write(self.write_end, piece) :]

    def test_send_writes_all_of_a_frame_that_the_descriptor_takes_in_parts(self) -> None:
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        frame = encode_frame(3, 1, {}, (os.urandom(2_000_000),))
        sender = threading.Thread(target=FdTransport(theirs.fileno()).send, args=(frame,))
        sender.start()
        got = b""
        while len(got) < len(frame):
            got += ours.recv(1 << 20)
        sender.join()
        self.assertEqual(got, frame)

    def test_the_end_of_the_stream_is_none(self) -> None:
        os.write(self.write_end, encode_frame(1, 1, {})[:-1])
        os.close(self.write_end)
        self.assertIsNone(FdTransport(self.read_end).recv_frame())


if __name__ == "__main__":
    unittest.main()
