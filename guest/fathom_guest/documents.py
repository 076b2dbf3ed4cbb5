"""Documents: files of a folder or attachments, by attribute, by index or by path."""

from .own import own_builtins as __builtins__


class Document:
    """One file: `.path`, `.name`, `.text`, `.size` in characters, `.lines`."""

    __slots__ = ("path", "text")

    def __init__(self, path: str, text: object) -> None:
        self.path = path
        self.text = text

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def size(self) -> int:
        """How many characters the text has."""
        return len(self.text)

    @property
    def lines(self) -> "list[str]":
        """The lines of the text, without their ends."""
        return self.text.splitlines()

    def __eq__(self, other: object) -> bool:
        if type(other) is not Document:
            return NotImplemented
        return self.path == other.path and self.text == other.text

    def __hash__(self) -> int:
        return hash((self.path, self.text))

    def __contains__(self, wanted: object) -> bool:
        return wanted in self.text

    def __len__(self) -> int:
        return len(self.text)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<document {self.path!r}, {len(self.text)} characters>"


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
