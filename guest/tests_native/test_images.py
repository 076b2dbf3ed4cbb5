"""Mapped strings."""

import os
import tempfile
import unittest

from fathom_guest.bindings import decode_file
from fathom_native import images


@unittest.skipUnless(images.usable(), "this Python lays its strings out in another way")
class Images(unittest.TestCase):
    def load(self, data: bytes, encoding: str = "utf-8", skip: int = 0) -> str:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            image = images.new_image()
            plain = encoding == "utf-8" and skip == 0
            kind, length = images.write_image(
                image, file.fileno(), len(data), lambda buffer: decode_file(buffer, encoding, skip), plain
            )
            text = images.open_image(image, kind, length)
            with self.assertRaises(PermissionError):
                os.write(image, b"x")
            os.close(image)
            return text

    def test_are_what_decoding_gives(self) -> None:
        for sample in ("a", "é", "日本", "😀x", "a\x00b", "aé日😀"):
            for repeat in (1, 4095, 4096, 4097, 70_000):
                text = sample * repeat
                found = self.load(text.encode())
                self.assertEqual(found, text)
                self.assertEqual(
                    (len(found), hash(found), found[-3:], found + "!"), (len(text), hash(text), text[-3:], text + "!")
                )

    def test_replace_bytes_that_are_not_utf8(self) -> None:
        self.assertEqual(self.load(b"abc\xff\xfe" * 1000), "abc\ufffd\ufffd" * 1000)

    def test_skip_a_byte_order_mark(self) -> None:
        self.assertEqual(self.load(b"\xff\xfe" + "grün".encode("utf-16-le"), "utf-16-le", 2), "grün")

    def test_can_be_used_as_any_other(self) -> None:
        text = self.load(b"one two three " * 1000)
        self.assertEqual(len(text.split()), 3000)
        self.assertEqual({text: 1}[text], 1)
        self.assertEqual("".join([text, "x"])[-1], "x")
        self.assertEqual(text.encode(), b"one two three " * 1000)
        copy = text
        del text
        self.assertEqual(copy.count("two"), 1000)
