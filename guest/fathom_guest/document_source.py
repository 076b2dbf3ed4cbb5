"""Documents of the host: their facts, texts and tables are read when a cell uses them, and kept."""

from .own import own_builtins as __builtins__

import base64

from .channel import Channel
from .history import read_host
from .json_values import parse_json
from .tables import Table, Tables

_decode = base64.b64decode


class DocumentSource:
    """One document, by the projection of its context and its place there."""

    __slots__ = ("_channel", "_id", "_place", "kind", "size", "_facts", "_text", "tables")

    def __init__(
        self, channel: Channel, ident: str, place: str, kind: "str | None", size: int, facts: "dict | None" = None
    ) -> None:
        self._channel = channel
        self._id = ident
        self._place = place
        #: None for a text, whose name says its kind.
        self.kind = kind
        #: Bytes of the file.
        self.size = size
        self._facts = facts
        self._text: "str | None" = None
        self.tables: "Tables | None" = None

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

    def read_text(self, path: str) -> str:
        """The text. A ValueError for a document that has none."""
        if self._text is None:
            if not self.has_text:
                raise ValueError(f"{path} has no text: use .meta and .bytes")
            self._text = "".join(self._pieces("text"))
        return self._text

    def read_tables(self) -> Tables:
        """All tables; each reads its rows when they are used."""
        if self.tables is None:
            self.tables = Tables(
                Table(facts["name"], facts["columns"], self._rows_of(number))
                for number, facts in enumerate(self.facts["tables"])
            )
        return self.tables

    def read_bytes(self) -> bytes:
        """The bytes of the file."""
        return b"".join(map(_decode, self._pieces("bytes")))

    def members(self) -> "list[tuple[str, DocumentSource]]":
        """The documents within it, by their paths."""
        return [
            (path, DocumentSource(self._channel, self._id, f"{self._place}/{number}", kind, size))
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
        fields = {"op": "projection", "id": self._id, "read": "get", "key": f"{self._place} {part}"}
        return read_host(self._channel, fields)
