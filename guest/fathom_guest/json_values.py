"""Decides which values count as JSON, and writes the text of values that leave the REPL."""

from .own import own_builtins as __builtins__

import sys
from json import JSONDecoder
from json import encoder as _json_encoder
from math import isfinite


def is_json(value: object) -> bool:
    """Tuples as lists, dicts with string keys, int, finite float, bool, None, str; subclasses count as their base."""
    stack = [iter((value,))]
    inside: list[int] = [0]
    open_ids: set[int] = set()
    while stack:
        item = next(stack[-1], _END)
        if item is _END:
            stack.pop()
            open_ids.discard(inside.pop())
        elif item is None or isinstance(item, (str, int)):
            continue
        elif isinstance(item, float):
            if not isfinite(item):
                return False
        elif isinstance(item, (list, tuple, dict)):
            if id(item) in open_ids or len(stack) > _DEEPEST:
                return False  # it holds itself, or is deeper than readers of JSON go
            if isinstance(item, dict):
                if not all(isinstance(key, str) for key in dict.keys(item)):
                    return False
                stack.append(iter(list(dict.values(item))))
            elif isinstance(item, list):
                stack.append(list.__iter__(item))
            else:
                stack.append(tuple.__iter__(item))
            open_ids.add(id(item))
            inside.append(id(item))
        else:
            return False
    return True


def json_text(value: object) -> "str | None":
    """The value as JSON text (characters as they are), or None when JSON cannot express it."""
    if not is_json(value):
        return None
    try:
        return "".join(_encode({}, None, _quote, None, ": ", ", ", False, False, False)(value, 0))
    except (RecursionError, ValueError, TypeError):
        # ValueError: an integer of more digits than Python writes.
        # TypeError: a subclass whose own iteration gives other values.
        return None


def parse_json(text: str) -> object:
    """The value of JSON text. Raises ValueError with the place where it is broken."""
    start = len(text) - len(text.lstrip(_BLANKS))
    longest = _longest_integer()
    _set_longest_integer(0)  # integers are exact, whatever their length
    try:
        value, end = _scan(text, start)
    except StopIteration as stop:
        raise ValueError(f"no JSON: a value is missing at character {stop.value}") from None
    finally:
        _set_longest_integer(longest)
    if text[end:].strip(_BLANKS):
        raise ValueError(f"no JSON: there is more text after the value, at character {end}")
    return value


def text_of(value: object) -> str:
    """A string itself, JSON text for other JSON values, else `str(value)`."""
    if isinstance(value, str):
        return str.__str__(value)
    as_json = json_text(value)
    if as_json is not None:
        return as_json
    return str(value)


_END = object()
# Python limits the digits of integers in texts since 3.10.7.
_longest_integer = getattr(sys, "get_int_max_str_digits", lambda: 0)
_set_longest_integer = getattr(sys, "set_int_max_str_digits", lambda digits: None)
_DEEPEST = 900
_BLANKS = " \t\n\r"
_scan = JSONDecoder().scan_once
_quote = _json_encoder.encode_basestring


def _make_encode():
    if _json_encoder.c_make_encoder is not None:
        return _json_encoder.c_make_encoder

    def make(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan):
        plain = _json_encoder.JSONEncoder(ensure_ascii=False, separators=(item_separator, key_separator))
        return lambda value, level: (plain.encode(value),)

    return make


_encode = _make_encode()
