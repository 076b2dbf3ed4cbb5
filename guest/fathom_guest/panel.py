"""The variables panel: name, type, size and a short preview, without ever calling code of a cell."""

from .own import own_builtins as __builtins__

from .namespace import Namespace
from .reply import Reply

_NAME = type.__dict__["__name__"]
_MRO = type.__dict__["__mro__"]
#: Characters of a preview, of the first item of a container, and of both.
_PREVIEW = 80
_FIRST = 160
_LONGEST = 240
#: Replies of a list that are counted.
_REPLIES = 10_000
_FIELDS = Reply.__dict__["__dict__"]
_SCALARS = (int, float, complex, bool, type(None))
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, range)
#: Variables looked at closely; beyond that the panel would cost more than the cell.
_TRACKED = 2000


def type_name(value: object) -> str:
    """The class name as Python knows it, whatever a metaclass says."""
    return _NAME.__get__(type(value))[:200]


def size_of(value: object) -> "int | None":
    """`len`, by the built-in type's own method."""
    for base in _MRO.__get__(type(value)):
        if base in _SIZED:
            return base.__len__(value)
    return None


def preview(value: object, room: int = _PREVIEW, depth: int = 0) -> "str | None":
    """A short text of values of built-in types; None for foreign classes."""
    kind = type(value)
    if kind in _SCALARS:
        return _number(value, room)
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= room else repr(value[:room]) + "…"
    if kind is range:
        return repr(value)
    if kind is Reply:
        text = str.__str__(value)
        return preview(text, room, depth)
    if kind in (list, tuple) and depth == 0 and value and type(value[0]) is Reply:
        return _replies(value, room)
    if kind in (list, tuple, set, frozenset, dict) and depth < 2:
        return _container(value, kind, room, depth)
    return None


def _number(value: object, room: int) -> str:
    if type(value) is int and value.bit_length() > 256:
        return f"<int of {value.bit_length()} bits>"
    return repr(value)


def _replies(values, room: int) -> str:
    """e.g. `23 replies, 22 ok, first: 'entity'`."""
    looked_at = [item for item in values[:_REPLIES] if type(item) is Reply]
    ok = sum(dict.get(_FIELDS.__get__(item), "ok", True) is True for item in looked_at)
    return f"{len(looked_at)} replies, {ok} ok, first: {preview(str.__str__(looked_at[0]), max(room, _FIRST))}"


def _container(value, kind: type, room: int, depth: int) -> str:
    opening, closing = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", dict: "{}"}[kind]
    pieces = []
    left = room
    try:
        for item in value.items() if kind is dict else value:
            if left <= 0 or len(pieces) == 8:
                pieces.append("…")
                break
            # The first item is shown whole where it can be: it says what the others are.
            room_of = 2 * _FIRST if depth == 0 and not pieces else left
            if kind is dict:
                piece = f"{_item(item[0], left, depth)}: {_item(item[1], room_of, depth)}"
            else:
                piece = _item(item, room_of, depth)
            left -= len(piece) + 2
            pieces.append(piece)
    except RuntimeError:
        pieces.append("…")  # another thread changes it
    if kind is tuple and len(pieces) == 1:
        pieces.append("")
    return opening + ", ".join(pieces).rstrip(" " if kind is tuple else "") + closing


def _item(value: object, room: int, depth: int) -> str:
    text = preview(value, max(8, room // 2), depth + 1)
    return f"<{type_name(value)}>" if text is None else text


class Panel:
    """Lists variables and remembers what they were after the last cell."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._seen: dict[str, tuple] = {}

    def rows(self, limit: int, *, mark: bool) -> list[dict]:
        """The newest `limit` variables, new and changed first. `mark` remembers them as seen."""
        names = self._namespace.user_names()
        seen: dict[str, tuple] = {}
        changed: list[dict] = []
        same: list[dict] = []
        for name in reversed(names):
            value = self._namespace.get(name)
            row = row_of(name, value)
            print_of = (id(value), row["type"], row.get("size"), row.get("preview"))
            if len(seen) < _TRACKED:
                seen[name] = print_of
            # The host's own values are listed, but a cell cannot have made them.
            if self._seen.get(name) != print_of and name not in self._namespace.data:
                row["changed"] = True
                changed.append(row)
            else:
                same.append(row)
            if len(changed) + len(same) >= max(limit, _TRACKED):
                break
        if mark:
            self._seen = seen
        return (changed + same)[:limit]


def row_of(name: str, value: object) -> dict:
    """One line of the panel."""
    row: dict = {"name": name, "type": type_name(value)}
    size = size_of(value)
    if size is not None:
        row["size"] = size
    text = preview(value)
    if text is not None:
        row["preview"] = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return row


class Text(str):
    """A text that shows as itself when it is the value of a cell."""

    def __repr__(self) -> str:
        return str.__str__(self)


def show_vars(panel: Panel):
    """The SHOW_VARS helper."""

    def SHOW_VARS():
        """The variables that exist, with type, size and a short preview, as text."""
        lines = []
        for row in panel.rows(500, mark=False):
            line = f"{row['name']}: {row['type']}"
            if "size" in row:
                line += f" ({row['size']})"
            if "preview" in row:
                line += f" = {row['preview']}"
            lines.append(line)
        return Text("\n".join(lines) if lines else "(no variables yet)")

    SHOW_VARS.__module__ = "builtins"
    SHOW_VARS.__qualname__ = "SHOW_VARS"
    return SHOW_VARS
