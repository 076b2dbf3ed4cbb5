"""The methods of every projection: peek, search, chunk, and asking the model about pieces."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from json import JSONEncoder
from types import MappingProxyType

from .channel import Channel
from .documents import Document, Documents
from .history import read_host
from .json_values import text_of
from .lazy_items import Lazy
from .paging import Pending

_SNIPPET = 80
_REDUCE = 400_000


class Source:
    """Reads of one projection."""

    def __init__(self, ident: str, channel: Channel, size: "int | None" = None) -> None:
        self._id = ident
        self.channel = channel
        #: Its length; None while it is not known.
        self.limit = size

    def read(self, read: str, **fields) -> object:
        """One read of the host."""
        return read_host(self.channel, {"op": "projection", "id": self._id, "read": read, **fields})

    def begin(self, start: int, stop: int) -> Pending:
        """Sends the read of a slice."""
        fields = {"op": "projection", "id": self._id, "read": "slice", "start": start, "stop": stop}
        return Pending(self.channel, fields)

    def length(self) -> int:
        """The length, which the host is asked for once."""
        if self.limit is None:
            self.limit = self.read("length")
        return self.limit


class Queried:
    """The helpers that every projection has. `plain()` is all of it as a plain value."""

    #: Its items can be asked about one by one.
    holds_items = False
    _query: Callable
    _query_batched: Callable

    def _pieces(self) -> Iterator[tuple[int, int, str]]:
        """`(index, offset, text)` of windows or items."""
        raise NotImplementedError

    def map_query(self, prompt: str, items: Iterable) -> list:
        """Asks the same of many texts (or chunks) at once; one Reply each, in order."""
        return self._query_batched([f"{prompt}\n\n{text}" for text in texts_of(prompt, items)])

    def reduce_query(self, prompt: str, items: Iterable):
        """Asks one thing of many texts together; in rounds when they are too large for one prompt."""
        return reduce_texts(self._query, self._query_batched, prompt, texts_of(prompt, items), _REDUCE)

    def chunk(self, size: int = 20000, overlap: int = 0) -> list[dict]:
        """Pieces `{index, start, end, text}` of `size` characters that cover all."""
        return list(chunk_text(self.peek(0, None), size, overlap))

    def peek(self, start: int = 0, end: "int | None" = 1000) -> str:
        """Characters `start` to `end` of the text form."""
        raise NotImplementedError

    def search(self, pattern: str, max_hits: int = 100) -> list[dict]:
        """Matches of a regular expression: `{index, start, end, match, snippet}`."""
        hits: list[dict] = []
        compiled = re.compile(pattern)
        for index, offset, text in self._pieces():
            for found in compiled.finditer(text):
                if len(hits) >= max_hits:
                    return hits
                hits.append(hit(index, offset, text, found))
        return hits


def plain(value: object) -> object:
    """The runtime's own views of data as the data itself: projections, documents, the mapping of named contexts."""
    kind = type(value)
    if kind is MappingProxyType:
        return {name: plain(part) for name, part in value.items()}
    if kind is Document:
        return {"path": value.path, "text": value.text}
    if issubclass(kind, (Lazy, Queried)):
        return value.plain()
    if kind in (list, tuple, Documents) and any(type(item) is Document for item in kind.__iter__(value)):
        return [plain(item) for item in kind.__iter__(value)]
    return value


def let_json_write_views() -> None:
    """`json.dumps` takes the runtime's own views of data as the data itself."""
    default = JSONEncoder.default

    def default_of_views(self, o):
        made = plain(o)
        return default(self, o) if made is o else made

    default_of_views.__name__, default_of_views.__qualname__ = "default", default.__qualname__
    default_of_views.__doc__ = default.__doc__
    JSONEncoder.default = default_of_views


def hit(index: int, offset: int, text: str, found: "re.Match") -> dict:
    """One match, as `search` gives it."""
    snippet = text[max(0, found.start() - _SNIPPET) : found.end() + _SNIPPET]
    return {
        "index": index,
        "start": offset + found.start(),
        "end": offset + found.end(),
        "match": found.group(),
        "snippet": snippet,
    }


def chunk_text(text, size: int, overlap: int, by: "str | None" = None) -> Iterator[dict]:
    """Pieces `{index, start, end, text}` of a text, or of a projected one, that cover all of it.

    `by='lines'` or `by='paragraphs'` ends a piece at such an end where one lies in its second half.
    """
    if size <= 0 or not 0 <= overlap < size:
        raise ValueError("chunks need size > 0 and 0 <= overlap < size")
    if by not in (None, "lines", "paragraphs"):
        raise ValueError(f"by must be 'lines', 'paragraphs' or None, not {by!r}")
    length, start, index = len(text), 0, 0
    while start < length or index == 0:
        piece = text[start : start + size]
        if by is not None and start + len(piece) < length:
            mark = "\n" if by == "lines" else "\n\n"
            found = piece.rfind(mark, max(len(piece) // 2, overlap))
            piece = piece if found < 0 else piece[: found + len(mark)]
        end = start + len(piece)
        yield {"index": index, "start": start, "end": end, "text": piece}
        if end >= length:
            return
        start, index = end - overlap, index + 1


def reduce_texts(query: Callable, query_batched: Callable, prompt: str, texts: list[str], room: int):
    """One reply about many texts: rounds of prompts of at most `room` characters each, until one is enough.

    A text that is larger than that is cut, at a line's end where it can be.
    """
    texts = [piece["text"] for text in texts for piece in chunk_text(text, room, 0, "lines")]
    while True:
        groups = _grouped(texts, room)
        if len(groups) <= 1:
            return query(f"{prompt}\n\n" + "\n\n".join(texts))
        replies = query_batched([f"{prompt}\n\n" + "\n\n".join(group) for group in groups])
        failed = [reply for reply in replies if not reply.ok]
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(replies)} parts failed: {failed[0].error}")
        if len(replies) >= len(texts):
            return query(f"{prompt}\n\n" + "\n\n".join(str(reply) for reply in replies))
        texts = [str(reply) for reply in replies]


def texts_of(prompt: object, items: object) -> list[str]:
    """The texts of items. A single text is refused: taken as a list, each of its letters would cost a call."""
    if not isinstance(prompt, str):
        raise TypeError(f"the prompt must be a str, not {type(prompt).__name__}")
    if isinstance(items, (str, bytes, Mapping)) or (isinstance(items, Queried) and not items.holds_items):
        raise TypeError(f"items must be a list of texts or chunks, such as chunk() gives, not {type(items).__name__}")
    return [text_of_item(item) for item in items]


def text_of_item(item: object) -> str:
    if isinstance(item, dict) and isinstance(item.get("text"), str):
        return item["text"]
    if type(item) is Document:
        return item.text
    return text_of(item)


def _grouped(texts: list[str], room: int) -> list[list[str]]:
    groups: list[list[str]] = []
    left = 0
    for text in texts:
        if not groups or len(text) > left:
            groups.append([])
            left = room
        groups[-1].append(text)
        left -= len(text)
    return groups


def peek_lines(lines: Iterable[str], start: int, end: "int | None") -> str:
    """Characters `start` to `end` of lines, reading no further than needed."""
    text = ""
    for line in lines:
        text += line + "\n"
        if end is not None and end >= 0 and len(text) >= end:
            break
    return text[start:end]
