"""Values of cells as SQLite stores them, and the type of a column."""

from .own import own_builtins as __builtins__

from collections.abc import Sequence

from .json_values import json_text

_LEAST, _MOST = -(2**63), 2**63 - 1
#: Floats hold integers up to here.
_EXACT = 2**53
_NONE = type(None)
#: Types that SQLite takes as they are.
_PLAIN = frozenset((int, float, str, bytes, bool, _NONE))


class Column:
    """Facts about the values of a column, gathered block by block."""

    __slots__ = ("kinds", "least", "most", "_foreign")

    def __init__(self) -> None:
        self.kinds: "set[type]" = set()
        self.least = self.most = 0
        self._foreign = False

    def see(self, values: "Sequence[object]") -> None:
        """Takes note of some values."""
        kinds = set(map(type, values))
        if not kinds <= _PLAIN:
            self._foreign = True
            values = list(map(stored, values))
            kinds = set(map(type, values))
        self.kinds |= kinds
        if int in kinds:
            numbers = [value for value in values if type(value) is int]
            self.least, self.most = min(self.least, min(numbers)), max(self.most, max(numbers))

    @property
    def is_plain(self) -> bool:
        """SQLite takes all of its values as they are, but for lone surrogates."""
        return not self._foreign and not self._too_large

    @property
    def _too_large(self) -> bool:
        return self.least < _LEAST or self.most > _MOST

    @property
    def affinity(self) -> str:
        """The declared type: how SQLite compares its values with others. None where a conversion would lose digits."""
        kinds = {int if kind is bool else kind for kind in self.kinds if kind is not _NONE}
        if kinds == {int} and not self._too_large:
            return "INTEGER"
        exact = -_EXACT <= self.least and self.most <= _EXACT
        if kinds == {float} or (kinds == {int, float} and exact):
            return "REAL"
        return "TEXT" if kinds and not kinds & {int, float, bytes} else ""


def stored(value: object) -> object:
    """A value as SQLite takes it: large integers are text of their digits, dates ISO 8601, lists and dicts JSON."""
    kind = type(value)
    if value is None or kind in (float, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int):
        return int(value) if _LEAST <= value <= _MOST else str(int(value))
    if isinstance(value, (list, tuple, dict)):
        text = json_text(value)
        return repr(value) if text is None else text
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    return _stored_object(value)


def _stored_object(value: object) -> object:
    """Scalars of numpy, dates, missing values of pandas; any other value as text."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float):
        return float(value)
    write = getattr(value, "isoformat", None)
    if callable(write):
        return write()
    scalar = getattr(value, "item", None)
    if callable(scalar) and getattr(value, "shape", None) == ():
        plain = scalar()
        return plain if type(plain) in _PLAIN else str(value)
    return str(value)
