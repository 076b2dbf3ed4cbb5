"""Statements over files that are too large for SQLite here: the host runs them in DuckDB, in a process of its own."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Sequence

from .document_source import DocumentSource
from .errors import SqlError
from .json_values import json_text, parse_json
from .limits import Limits
from .sql_values import stored

#: Characters of a statement with its values: a request to the host has no more room.
_MOST = 50_000
_NO_TABLE = re.compile(r"Table with name \"?(\w+)\"? does not exist")
_NOT_A_NUMBER = re.compile(r"Conversion Error", re.IGNORECASE)


def select_from_files(
    statement: str, values: "Sequence | dict", files: "dict[str, DocumentSource]", limits: Limits
) -> "tuple[list[str], list[list]]":
    """The columns and rows of a statement over files of the context, by their names in it."""
    sources = list(files.values())
    if any(source._id != sources[0]._id or "/" in source._place for source in sources):
        raise SqlError("a statement over large files can name files of one context alone: " + ", ".join(files))
    given = values if isinstance(values, dict) else list(values)
    asked = json_text(
        {
            "text": statement,
            "values": {name: _sent(value) for name, value in given.items()}
            if isinstance(given, dict)
            else list(map(_sent, given)),
            "tables": {name: int(source._place) for name, source in files.items()},
            "memoryBytes": limits.sql_memory_bytes,
            "maxRows": limits.max_sql_rows,
            "timeoutMs": limits.sql_timeout_ms,
        }
    )
    if asked is None or len(asked) > _MOST:
        raise SqlError(f"a statement over large files may have {_MOST} characters, its values included")
    found = parse_json(sources[0].get(f"sql {asked}")["text"])
    if "error" in found:
        raise _failure(found["error"], found["message"], list(files))
    return found["columns"], found["rows"]


def _sent(value: object) -> object:
    """A value of a statement as JSON; an integer as its digits."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"integer": str(int(value))}
    value = stored(value)
    if isinstance(value, bytes):
        raise SqlError("a statement over large files takes no bytes as a value")
    return value


def _failure(kind: str, message: str, names: "list[str]") -> Exception:
    if kind == "timeout":
        return TimeoutError(f"the statement took longer than {message} (sqlTimeoutMs): make it do less")
    if kind == "memory":
        return MemoryError("the statement needs more memory than it has (sqlMemoryBytes): group or sort fewer rows")
    missing = _NO_TABLE.search(message)
    if missing is not None:
        return SqlError(
            f"no table {missing[1]} here: a statement over {', '.join(names)}, which SQLite cannot hold, runs in "
            "DuckDB. It sees Parquet and large CSV files of the context alone: get the rows you need, and join them in "
            "Python"
        )
    if _NOT_A_NUMBER.search(message):
        return SqlError(f"{message} (the table of the same name with _text behind it has all columns of a CSV as text)")
    return SqlError(message)
