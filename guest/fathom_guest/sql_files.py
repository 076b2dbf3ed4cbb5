"""Statements over files that are too large for SQLite here: the host runs them in DuckDB, in a process of its own."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Sequence

from .document_source import DocumentSource
from .errors import SqlError
from .json_values import json_text, parse_json
from .limits import Limits
from .sql_catalog import Rows
from .sql_names import column_names
from .sql_values import Column, stored

#: Characters of a statement with its values and small tables: a request to the host has no more room.
_MOST = 50_000
_NO_TABLE = re.compile(r"Table with name \"?(\w+)\"? does not exist")
_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE"}


class MissingTable(Exception):
    """A statement names a table beside its files."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class FileStatement:
    """A statement over files of the context, by their names in it, and over small tables that come along."""

    def __init__(
        self, text: str, values: "Sequence | dict", files: "dict[str, DocumentSource]", limits: Limits
    ) -> None:
        self._sources = list(files.values())
        if any(source._id != self._sources[0]._id or "/" in source._place for source in self._sources):
            raise SqlError("a statement over large files can name files of one context alone: " + ", ".join(files))
        by_name = isinstance(values, dict)
        self._asked = {
            "text": text,
            "values": {name: _sent(values[name]) for name in values} if by_name else list(map(_sent, values)),
            "tables": {name: int(source._place) for name, source in files.items()},
            "memoryBytes": limits.sql_memory_bytes,
            "maxRows": limits.max_sql_rows,
            "timeoutMs": limits.sql_timeout_ms,
        }
        #: Tables that come along, by name.
        self.small: "dict[str, dict]" = {}

    def add(self, name: str, rows: Rows) -> None:
        """Sends a small table along. A SqlError for one that is too large."""
        found: "list[list]" = []
        columns = [Column() for _ in rows.columns]
        for block in rows.blocks():
            found += [list(map(_sent, row)) for row in block]
            if len(found) > _MOST:
                raise _too_large(name)
            for column, values in zip(columns, zip(*block)):
                column.see(values)
        types = [_TYPES.get(column.affinity, "VARCHAR") for column in columns]
        named = list(zip(column_names(rows.columns), types))
        self.small[name] = {"name": name, "columns": named, "rows": found}
        if len(json_text(self.small[name]) or "") > _MOST:
            raise _too_large(name)

    def run(self) -> "tuple[list[str], list[list]]":
        """Its columns and rows. Raises MissingTable, SqlError, TimeoutError or MemoryError."""
        asked = json_text({**self._asked, "small": list(self.small.values())})
        if asked is None or len(asked) > _MOST:
            raise SqlError(f"a statement over large files may have {_MOST} characters with its values and small tables")
        found = parse_json(self._sources[0].get(f"sql {asked}")["text"])
        if "error" in found:
            raise _failure(found["error"], found["message"])
        return found["columns"], found["rows"]


def _too_large(name: str) -> SqlError:
    return SqlError(
        f"{name} is too large to come along with a statement over a large file, {_MOST} characters: get the rows that "
        "you need from each, and join them in Python"
    )


def _sent(value: object) -> object:
    """A value as JSON; an integer as its digits, bytes as hexadecimal digits."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"integer": str(int(value))}
    value = stored(value)
    if isinstance(value, int):
        return {"integer": str(value)}
    return value.hex() if isinstance(value, bytes) else value


def _failure(kind: str, message: str) -> Exception:
    if kind == "timeout":
        return TimeoutError(f"the statement took longer than {message} (sqlTimeoutMs): make it do less")
    if kind == "memory":
        return MemoryError("the statement needs more memory than it has (sqlMemoryBytes): group or sort fewer rows")
    missing = _NO_TABLE.search(message)
    if missing is not None:
        return MissingTable(missing[1])
    if "Conversion Error" in message:
        return SqlError(f"{message} (the table of the same name with _text behind it has all columns of a CSV as text)")
    return SqlError(message)
