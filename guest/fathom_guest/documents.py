"""Documents: files of a folder or attachments, by attribute, by index or by path."""

from .own import own_builtins as __builtins__


class Document:
    """One file: `.path`, `.name`, `.text`, `.size` in characters, `.lines`. Of a file that is not text: `.bytes`."""

    __slots__ = ("path", "_content")

    def __init__(self, path: str, content: object) -> None:
        self.path = path
        self._content = content

    @property
    def is_text(self) -> bool:
        """It has a text, and not only bytes."""
        return not isinstance(self._content, bytes)

    @property
    def text(self) -> str:
        """The text. A ValueError for a file that has none."""
        if isinstance(self._content, bytes):
            raise ValueError(f"{self.path} is not text: use .bytes")
        return self._content

    @property
    def bytes(self) -> "bytes":
        """The bytes of a file that is not text; the UTF-8 of one that is."""
        return self._content if isinstance(self._content, bytes) else self._content.encode("utf-8", "surrogatepass")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def size(self) -> int:
        """How many characters the text has, or bytes the file that is not text."""
        return len(self._content)

    @property
    def lines(self) -> "list[str]":
        """The lines of the text, without their ends."""
        return self.text.splitlines()

    def __eq__(self, other: object) -> bool:
        if type(other) is not Document:
            return NotImplemented
        return self.path == other.path and self._content == other._content

    def __hash__(self) -> int:
        return hash((self.path, self._content))

    def __contains__(self, wanted: object) -> bool:
        return wanted in self._content

    def __len__(self) -> int:
        return len(self._content)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        unit = "bytes" if isinstance(self._content, bytes) else "characters"
        return f"<document {self.path!r}, {len(self._content)} {unit}>"


class Documents(list):
    """A list of documents that also takes a path: `documents["notes/a.txt"]`."""

    def __getitem__(self, key):
        if isinstance(key, str):
            for document in list.__iter__(self):
                if document.path == key:
                    return document
            raise KeyError(f"there is no document {key!r}")
        return list.__getitem__(self, key)

    def __contains__(self, wanted: object) -> bool:
        if isinstance(wanted, str):
            return any(document.path == wanted for document in list.__iter__(self))
        return list.__contains__(self, wanted)

    def keys(self) -> "list[str]":
        """The paths, in order."""
        return [document.path for document in list.__iter__(self)]

    def get(self, path: str, default: object = None) -> object:
        """The document of a path, or `default`."""
        return self[path] if path in self else default


Document.__module__ = Documents.__module__ = "builtins"
