"""Errors of cells as text: Python's own tracebacks without the runtime's frames."""

from .own import own_builtins as __builtins__

import linecache
import os.path
from types import ModuleType

from .own import private_copy

_traceback: ModuleType = private_copy("traceback")
#: How file names of the runtime begin: this package, and a backend's own beside it.
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fathom_")
#: How file names of cells begin.
CELL = "<cell "
#: The innermost frames that are looked at, as many as CPython itself prints. Of a million, each would cost 10 µs.
_FRAMES = 1000
#: Characters of a traceback at most, however large `outputChars` is: a thousand frames fit.
_LONGEST = 64 * 1024
#: Characters of a traceback that are kept, however small `outputChars` is: of less nothing can be learned.
_LEAST = 400
#: Characters of the message of a command that could not be done: it lies in the header of a frame.
FAILURE = 2_000
_KEPT_CELLS = 500
_KEPT_CHARACTERS = 16 * 1024 * 1024


class Sources:
    """Source lines of cells, where `traceback` and `inspect` look for them."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._size = 0

    def add(self, name: str, code: str) -> None:
        """Remembers a cell's source under the file name it is compiled with."""
        try:
            self._add(name, code)
        except Exception:
            pass  # a cell has broken linecache: tracebacks go without source lines

    def _add(self, name: str, code: str) -> None:
        linecache.cache[name] = (len(code), None, [line + "\n" for line in code.split("\n")], name)
        self._names.append(name)
        self._size += len(code)
        while len(self._names) > _KEPT_CELLS or (self._size > _KEPT_CHARACTERS and len(self._names) > 1):
            dropped = linecache.cache.pop(self._names.pop(0), None)
            self._size -= dropped[0] if dropped else 0


def describe(error: BaseException, output_chars: "int | None" = None) -> tuple[str, str, str]:
    """Class name, message and traceback of an error. Never raises, whatever the error's own methods do.

    The end of the traceback is kept, within `output_chars`, and both ends of the message, within half of that.
    """
    room = _LONGEST if output_chars is None else min(_LONGEST, max(_LEAST, output_chars))
    name = type.__dict__["__name__"].__get__(type(error))[:200]
    message = _message(error, room // 2)
    try:
        tree = _traceback.TracebackException.from_exception(error, limit=-_FRAMES, compact=True)
        _strip(tree, set(), room // 2)
        text = "".join(tree.format())
    except KeyboardInterrupt:
        raise
    except BaseException:
        text = f"{name}: {message}\n" if message else f"{name}\n"
    return name, message, _tail(text, room)


def _message(error: BaseException, room: int) -> str:
    try:
        text = str(error)
        return bounded(str.__str__(text), room)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "<the error's own text could not be made>"


def _strip(tree, seen: set, room: int) -> None:
    """Takes the runtime's frames out and cuts messages, also of causes, contexts and members of groups."""
    if tree is None or id(tree) in seen:
        return
    seen.add(id(tree))
    if type(tree._str) is str:
        tree._str = bounded(tree._str, room)
    if tree.stack is not None:
        frames = [frame for frame in tree.stack if not frame.filename.startswith(_PACKAGE)]
        # Frames that led to the cell (the event loop) mean nothing to its author.
        first = next((at for at, frame in enumerate(frames) if frame.filename.startswith(CELL)), 0)
        tree.stack[:] = frames[first:]
    _strip(tree.__cause__, seen, room)
    _strip(tree.__context__, seen, room)
    for member in getattr(tree, "exceptions", None) or ():
        _strip(member, seen, room)


def _tail(text: str, limit: int) -> str:
    """The end of a text, within about `limit` characters."""
    if len(text) <= limit:
        return text
    return f"… [{len(text) - limit} characters left out] …\n{text[-limit:]}"


def bounded(text: str, limit: int) -> str:
    """Head and tail of a text within about `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… [{len(text) - 2 * half} characters left out] …\n{text[-half:]}"
