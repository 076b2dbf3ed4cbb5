"""Seed values of a child: what the host bound goes by reference, everything else by value."""

from .own import own_builtins as __builtins__

from collections.abc import Callable, Iterable, Mapping, Sequence
from keyword import iskeyword

from .documents import Document, Documents
from .frames import encode_text
from .json_values import json_text
from .lazy_items import Lazy
from .limits import Limits, check_size
from .queried import Queried, plain

_MOST_VALUES = 64

#: Names and values that the host bound.
Bound = Callable[[], "Iterable[tuple[str, object]]"]


def seed_part(seed: object, bound: Bound, limits: Limits) -> "bytes | None":
    """All values in one part, or None without any. A value is text, JSON, or bound by the host."""
    if seed is None:
        return None
    if not isinstance(seed, Mapping):
        raise TypeError(f"seed must be a dict of values by name, not {type(seed).__name__}")
    values = {name: _form(name, value, bound) for name, value in seed.items()}
    if not values:
        return None
    if len(values) > _MOST_VALUES:
        raise ValueError(f"seed takes at most {_MOST_VALUES} values; this one has {len(values)}")
    data = encode_text(json_text(values) or "")
    check_size("the seed values", len(data), limits.prompt_bytes, "promptBytes")
    return data


def _form(name: object, value: object, bound: Bound) -> dict:
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"a seed value needs the name of a variable, not {name!r}")
    found = reference_of(value, bound)
    if found is not None:
        return {"ref": found}
    value = plain(value)
    if isinstance(value, str):
        return {"text": str.__str__(value)}
    text = json_text(value)
    if text is None:
        raise TypeError(
            f"the seed value {name} must be text, JSON or a value of the context, not {type(value).__name__}"
        )
    return {"json": text}


def reference_of(value: object, bound: Bound) -> "dict | None":
    """Where the host has the value: a bound text or projection, or documents of a bound list; else None."""
    if type(value) is Document:
        found = _places((value,), bound)
        return None if found is None else {**found, "one": True}
    if isinstance(value, (list, tuple)):
        items = list(value)
        return _places(items, bound) if items and all(type(item) is Document for item in items) else None
    if isinstance(value, (str, Lazy, Queried)):
        return next(({"name": name} for name, one in bound() if one is value), None)
    return None


def _places(items: Sequence[Document], bound: Bound) -> "dict | None":
    for name, documents in bound():
        if type(documents) is not Documents:
            continue
        places = {id(document): index for index, document in enumerate(list.__iter__(documents))}
        if all(id(item) in places for item in items):
            return {"name": name, "items": [[places[id(item)], item.path] for item in items]}
    return None
