"""A text of the host as a file that is open for reading."""

from .own import own_builtins as __builtins__

import io
from collections.abc import Iterator


class ProjectedFile(io.TextIOBase):
    """A projected text as a text file. Positions are characters."""

    def __init__(self, text) -> None:
        self._of = text
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 1 and offset == 0:
            return self._at
        base = (0, self._at, self._of.size)[whence] if whence else 0
        self._at = max(0, base + offset)
        #: The part that was read, and how much of it was taken.
        self._held, self._taken = "", 0
        self._stream = self._of._stream(self._at)
        return self._at

    def _more(self) -> bool:
        part = next(self._stream, "")
        if part:
            self._held, self._taken = self._held[self._taken :] + part, 0
        return part != ""

    def _take(self, count: int) -> str:
        text = self._held[self._taken : self._taken + count]
        self._taken += len(text)
        self._at += len(text)
        return text

    def read(self, size: "int | None" = -1) -> str:
        """Up to `size` characters; all that are left without a size."""
        if size is None or size < 0:
            self._of._check_fits(self._of.size - self._at)
            rest = self._held[self._taken :] + "".join(self._stream)
            self._held, self._taken = "", 0
            self._at += len(rest)
            return rest
        while len(self._held) - self._taken < size and self._more():
            pass
        return self._take(size)

    def readline(self, size: "int | None" = -1) -> str:
        """The next line with its line feed."""
        seen = 0
        while (found := self._held.find("\n", self._taken + seen)) < 0:
            seen = len(self._held) - self._taken
            if size is not None and 0 <= size <= seen or not self._more():
                break
        end = len(self._held) - self._taken if found < 0 else found + 1 - self._taken
        return self._take(end if size is None or size < 0 else min(size, end))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


ProjectedFile.__module__ = "builtins"
