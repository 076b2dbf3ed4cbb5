"""Documents of the host: their facts, texts and tables are read when a cell uses them, and kept within bounds."""

from .own import own_builtins as __builtins__

import base64
from collections.abc import Callable

from .channel import Channel
from .history import read_host
from .json_values import parse_json
from .paging import Pending
from .tables import Table, Tables

_decode = base64.b64decode
#: Characters of texts of documents that are kept; the one that was read first goes first.
_KEPT_CHARS = 64 * 1024 * 1024


class Library:
    """Shared by all documents of the host: the channel, the functions that ask a model, and room for texts."""

    def __init__(self, channel: Channel, asks: "Callable[[], tuple[Callable, Callable]]") -> None:
        self.channel = channel
        #: `llm_query` and `llm_query_batched`.
        self.asks = asks
        self._texts: "dict[DocumentSource, str]" = {}
        self._chars = 0
        #: Makes the texts and tables that are read piece by piece.
        self.large_text: "Callable[[str, DocumentSource], object]" = lambda path, source: None
        self.lazy_table: "Callable[[DocumentSource, int, dict], object]" = lambda source, number, facts: None

        channel.tracker.clear_at_end(self)

    def clear(self) -> None:
        """Forgets the texts: snapshots between cells hold nothing of them."""
        self._texts = {}
        self._chars = 0

    def text_of(self, source: "DocumentSource") -> "str | None":
        """A text that is kept."""
        return self._texts.get(source)

    def keep(self, source: "DocumentSource", text: str) -> None:
        """Keeps a text, and lets older ones go."""
        self._texts[source] = text
        self._chars += len(text)
        while self._chars > _KEPT_CHARS and len(self._texts) > 1:
            self._chars -= len(self._texts.pop(next(iter(self._texts))))


class DocumentSource:
    """One document, by the projection of its context and its place there."""

    __slots__ = ("_library", "_id", "_place", "path", "kind", "size", "_facts", "_large", "tables")

    def __init__(
        self, library: Library, where: "tuple[str, str, str]", kind: "str | None", size: int, facts=None
    ) -> None:
        self._library = library
        #: The projection, its place there, and its path.
        self._id, self._place, self.path = where
        #: None for a text, whose name says its kind.
        self.kind = kind
        #: Bytes of the file.
        self.size = size
        self._facts: "dict | None" = facts
        self._large: object = None
        self.tables: "Tables | None" = None

    @property
    def channel(self) -> Channel:
        return self._library.channel

    @property
    def asks(self) -> "tuple[Callable, Callable]":
        """`llm_query` and `llm_query_batched`."""
        return self._library.asks()

    @property
    def facts(self) -> dict:
        """Title, meta, pages and tables. The host converts the file for them. A ValueError where it cannot."""
        if self._facts is None:
            self._facts = self.get("facts")
            # A packed file has the kind of the file in it.
            self.kind = self._facts["kind"]
        return self._facts

    @property
    def has_text(self) -> bool:
        """An image, for example, has none."""
        return self.facts["hasText"]

    def read_text(self) -> object:
        """The text; a large one is read on demand. A ValueError for a document that has none."""
        if not self.has_text:
            raise ValueError(f"{self.path} has no text: use .meta and .bytes")
        if self.facts["large"] is not None:
            self._large = self._large or self._library.large_text(self.path, self)
            return self._large
        text = self._library.text_of(self)
        if text is None:
            text = "".join(self._pieces("text"))
            self._library.keep(self, text)
        return text

    def read_tables(self) -> Tables:
        """All tables; each reads its rows when they are used."""
        if self.tables is None:
            self.tables = Tables(
                self._library.lazy_table(self, number, facts)
                if facts["lazy"]
                else Table(facts["name"], facts["columns"], self._rows_of(number))
                for number, facts in enumerate(self.facts["tables"])
            )
        return self.tables

    def read_bytes(self) -> bytes:
        """The bytes of the file. An OverflowError for one that would fill the REPL."""
        if self.facts["large"] is not None:
            raise OverflowError(f"{self.path} has {self.size} bytes, too many for this REPL: read slices of its text")
        return b"".join(map(_decode, self._pieces("bytes")))

    def members(self) -> "list[tuple[str, DocumentSource]]":
        """The documents within it, by their paths."""
        return [
            (path, DocumentSource(self._library, (self._id, f"{self._place}/{number}", path), kind, size))
            for number, (path, kind, size) in enumerate(self.facts["members"])
        ]

    def _rows_of(self, number: int) -> "list[list]":
        lines = "".join(self._pieces(f"table {number}")).split("\n")
        return [parse_json(line) for line in lines if line]

    def _pieces(self, part: str) -> "list[str]":
        pieces: "list[str]" = []
        at: "int | None" = 0
        while at is not None:
            piece = self.get(f"{part} {at}")
            pieces.append(piece["text"])
            at = piece["next"]
        return pieces

    def get(self, part: str) -> object:
        """Reads a part of it."""
        return read_host(self.channel, self._header(part))

    def begin(self, part: str) -> Pending:
        """Sends the read of a part of it."""
        return Pending(self.channel, self._header(part))

    def _header(self, part: str) -> dict:
        return {"op": "projection", "id": self._id, "read": "get", "key": f"{self._place} {part}"}
