"""The frame format, see docs/channel.md."""

from .own import own_builtins as __builtins__

import json
import re
from collections.abc import Callable, Sequence
from json import encoder as _json_encoder
from struct import Struct

COMMAND, RESULT, REQUEST, REPLY, OUTPUT, BLOB = 1, 2, 3, 4, 5, 6

#: Bytes of body one frame carries; more goes out as blobs. The host ends a REPL that sends frames above 16 MiB.
FRAME_BODY = 4 * 1024 * 1024

_HEAD = Struct("<IBII")
_INNER = Struct("<BII")
_HAS_SURROGATE = re.compile("[\ud800-\udfff]").search
_SURROGATE = re.compile("[\ud800-\udfff]").sub
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]").sub


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON")


def _make_dumps():
    """A JSON writer built on the C encoder itself, which no patch of `json` reaches."""
    make = _json_encoder.c_make_encoder
    if make is None:
        return json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    quote = _json_encoder.encode_basestring_ascii

    def dumps(value: object) -> str:
        # A fresh `markers` per call: the encoder keeps the ids of what it is inside of there.
        return "".join(make({}, _refuse, quote, None, ":", ",", False, False, False)(value, 0))

    return dumps


#: JSON text in ASCII. Raises TypeError or ValueError for what is not JSON.
dumps = _make_dumps()


def fitting(items: Sequence, room: int) -> list:
    """The first items whose JSON text fits into about `room` bytes."""
    kept = []
    for item in items:
        room -= len(dumps(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return kept


_scan = json.JSONDecoder().scan_once


def loads(text: str) -> object:
    """The value of JSON text that the host wrote (no blanks around it)."""
    return _scan(text, 0)[0]


def encode_text(text: str) -> bytes:
    """UTF-8. Two surrogates that make a character join (models write `"\\ud83c\\udf78"`); a lone one is U+FFFD."""
    # A cell may have replaced the codecs' error handlers, `strict` included, so that none may be asked.
    if not text.isascii() and _HAS_SURROGATE(text):
        text = _SURROGATE("\ufffd", _SURROGATE_PAIR(_joined, text))
    return text.encode()


def _joined(pair: re.Match) -> str:
    high, low = pair.group()
    return chr(0x10000 + ((ord(high) - 0xD800) << 10) + ord(low) - 0xDC00)


def decode_text(data: "bytes | memoryview") -> str:
    """Text as the host sent it: lone surrogates arrive as three bytes."""
    return str(data, "utf-8", "surrogatepass")


def encode_frame(kind: int, ident: int, header: dict, parts: Sequence[bytes] = ()) -> bytes:
    """One frame. `header["parts"]` must already say what the parts are, when there are any."""
    return join_frame(kind, ident, dumps(header).encode(), parts)


def join_frame(kind: int, ident: int, header: bytes, parts: Sequence[bytes]) -> bytes:
    """One frame whose header is JSON already."""
    size = 9 + len(header)
    for part in parts:
        size += len(part)
    return b"".join((_HEAD.pack(size, kind, ident, len(header)), header, *parts))


def decode_frame(frame: memoryview) -> tuple[int, int, dict, memoryview]:
    """Type, id, header and body of a frame without its length."""
    kind, ident, size = _INNER.unpack_from(frame)
    header = loads(str(frame[9 : 9 + size], "utf-8"))
    return kind, ident, header, frame[9 + size :]


def split_parts(header: dict, body: memoryview) -> list[memoryview]:
    """The parts of a body."""
    parts = []
    start = 0
    for size in header.get("parts", ()):
        parts.append(body[start : start + size])
        start += size
    return parts


def inline_parts(parts: Sequence[bytes], send_blob: "Callable[[bytes], int]") -> tuple[list, Sequence[bytes]]:
    """Builds `header.parts` and a frame's parts. Parts that do not fit into the frame are sent as blobs before it."""
    sizes: list = [len(part) for part in parts]
    if sum(sizes) <= FRAME_BODY:
        return sizes, parts
    kept = []
    room = FRAME_BODY
    for index, part in enumerate(parts):
        if len(part) <= room and len(part) <= FRAME_BODY // 2:
            room -= len(part)
            kept.append(part)
        else:
            sizes[index] = {"blob": send_blob(part)}
    return sizes, kept
