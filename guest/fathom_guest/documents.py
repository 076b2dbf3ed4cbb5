"""Documents: files of a folder or attachments, by attribute, by index or by path."""

from .own import own_builtins as __builtins__

from .document_source import DocumentSource
from .tables import Table, Tables, tables_in

#: Kinds of text by the ends of names. Every other text is `text`.
_TEXT_KINDS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "md": "markdown",
    "markdown": "markdown",
    "log": "log",
    "html": "html",
    "htm": "html",
    "srt": "subtitles",
    "vtt": "subtitles",
}


def text_kind(path: str) -> str:
    """The kind of a text by the end of its name."""
    return _TEXT_KINDS.get(path.rsplit("/", 1)[-1].rpartition(".")[2].lower(), "text")


class Described:
    """The attributes of every document besides its text: kind, title, facts, pages and tables."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def kind(self) -> str:
        """`pdf`, `xlsx`, `csv`, `text`, …"""
        return (None if self._source is None else self._source.kind) or text_kind(self.path)

    @property
    def title(self) -> "str | None":
        """The title that the file states, the subject of a mail, or None."""
        return self._about.get("title") if self._source is None else self._source.facts["title"]

    @property
    def meta(self) -> "dict[str, object]":
        """Facts that the file states: author, dates, pages, width and so on."""
        return self._about.get("meta", {}) if self._source is None else self._source.facts["meta"]

    @property
    def documents(self) -> "Documents":
        """The documents within it: members of an archive, attachments of a mail."""
        members = [] if self._source is None else self._source.members()
        return Documents([Document(path, source) for path, source in members])

    @property
    def pages(self) -> "list[str]":
        """The text page by page; a text without pages is one page."""
        starts = None if self._source is None else self._source.facts["pages"]
        text = self.text
        if not isinstance(text, str):
            return text.pages
        if starts is None:
            return [text]
        return [text[start:end].removesuffix("\f") for start, end in zip(starts, [*starts[1:], len(text)])]

    @property
    def tables(self) -> "Tables":
        """The tables, each a list of dicts with `.name`, `.columns` and `.df`, by number or by name."""
        source = self._source
        if source is not None and (source.tables is not None or source.facts["tables"]):
            return source.read_tables()
        text = self.text
        return tables_in(self.kind, text, self.name) if isinstance(text, str) else Tables()

    @property
    def rows(self) -> "Table":
        """The rows of the first table, as dicts. A ValueError for a document without one."""
        found = self.tables
        if not found:
            raise ValueError(f"{self.path} has no table")
        return found[0]

    @property
    def bytes(self) -> "bytes":
        """The bytes of the file; of a text, its UTF-8."""
        if self._source is not None:
            return self._source.read_bytes()
        return self.text.encode("utf-8", "surrogatepass")

    @property
    def lines(self) -> "list[str]":
        """The lines of the text, without their ends."""
        text = self.text
        return text.splitlines() if isinstance(text, str) else text.lines


class TextDocument(Described, str):
    """One file as its text: a `str` that also has `.path`, `.kind`, `.pages`, `.rows`, `.tables`, `.meta` and so on."""

    def __new__(cls, text: str, path: str, source: "DocumentSource | None") -> "TextDocument":
        made = str.__new__(cls, text)
        made.path = path
        made._source = source
        made._about = {}
        return made

    @property
    def is_text(self) -> bool:
        """It has a text."""
        return True

    @property
    def text(self) -> str:
        """The text alone, as a plain `str`."""
        return str.__str__(self)

    @property
    def size(self) -> int:
        """How many characters the text has."""
        return len(self)

    def __reduce__(self):
        return str, (str.__str__(self),)


class Document(Described):
    """One file: `.path`, `.name`, `.kind`, `.text`, `.size`, `.lines`, `.pages`, `.rows`, `.tables`, `.meta`."""

    __slots__ = ("path", "_about", "_content", "_source")

    def __init__(self, path: str, content: object, about: "dict | None" = None) -> None:
        self.path = path
        self._about = about or {}
        self._source = content if isinstance(content, DocumentSource) else None
        self._content = None if self._source is not None else content

    @property
    def id(self) -> "str | None":
        """The id of an attachment, or None."""
        return self._attachment.get("id")

    @property
    def media_type(self) -> "str | None":
        """The media type that an attachment came with, or None."""
        return self._attachment.get("mediaType")

    @property
    def label(self) -> "str | None":
        """The words that an attachment came with, or None."""
        return self._attachment.get("label")

    @property
    def _attachment(self) -> dict:
        return self._about.get("attachment", {})

    @property
    def is_text(self) -> bool:
        """It has a text, and not only bytes."""
        return self._source.has_text if self._source is not None else not isinstance(self._content, bytes)

    @property
    def kind(self) -> str:
        """`pdf`, `xlsx`, `csv`, `text`, … or `binary`."""
        stated = self._about.get("meta", {}).get("kind")
        if stated is not None:
            return stated
        return "binary" if isinstance(self._content, bytes) else Described.kind.__get__(self)

    @property
    def text(self) -> str:
        """The text. A ValueError for a file that has none."""
        if self._source is not None:
            return self._source.read_text()
        if isinstance(self._content, bytes):
            raise ValueError(f"{self.path} is not text: use .bytes")
        return self._content

    @property
    def bytes(self) -> "bytes":
        """The bytes of the file; of a text, its UTF-8."""
        return self._content if isinstance(self._content, bytes) else Described.bytes.__get__(self)

    @property
    def size(self) -> int:
        """How many characters a text file has, or bytes a file of another kind."""
        return self._source.size if self._source is not None else len(self._content)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Document:
            return NotImplemented
        return self.path == other.path and self._content == other._content and self._source is other._source

    def __hash__(self) -> int:
        return hash((self.path, self._content))

    def __contains__(self, wanted: object) -> bool:
        return wanted in (self.text if self._source is not None else self._content)

    def __len__(self) -> int:
        return len(self.text) if self._source is not None else len(self._content)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        if self._source is not None:
            return f"<document {self.path!r}, {self.kind}, {self._source.size} bytes>"
        unit = "bytes" if isinstance(self._content, bytes) else "characters"
        return f"<document {self.path!r}, {len(self._content)} {unit}>"


class Documents(list):
    """A list of documents that also takes a path, or the id of an attachment: `documents["notes/a.txt"]`."""

    def __getitem__(self, key):
        if isinstance(key, str):
            found = self._find(key)
            if found is not None:
                return found
            raise KeyError(f"there is no document {key!r}")
        return list.__getitem__(self, key)

    def __contains__(self, wanted: object) -> bool:
        if isinstance(wanted, str):
            return self._find(wanted) is not None
        return list.__contains__(self, wanted)

    def _find(self, key: str) -> "Document | None":
        for document in list.__iter__(self):
            if document.path == key or document.id == key:
                return document
        return None

    def keys(self) -> "list[str]":
        """The paths, in order."""
        return [document.path for document in list.__iter__(self)]

    def get(self, path: str, default: object = None) -> object:
        """The document of a path, or `default`."""
        return self[path] if path in self else default


Document.__module__ = TextDocument.__module__ = Documents.__module__ = "builtins"
