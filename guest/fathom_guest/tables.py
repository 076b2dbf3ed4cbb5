"""Tables: lists of dicts with the names of their columns, from converted documents and from texts."""

from .own import own_builtins as __builtins__

import csv
import importlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from .json_values import parse_json

_reader = csv.reader
_StringIO = io.StringIO
#: Signs between the cells of a line, the usual one first.
_DELIMITERS = ",;\t|"
#: Lines by which the sign is found.
_SAMPLE_LINES = 50
#: Characters by which the names of the columns are found before a table is read.
_HEAD_CHARS = 100_000
_FIELD_CHARS = 64 * 1024 * 1024
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_FLOAT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_BOOLEANS = {"true": True, "false": False}


class Table(list):
    """Rows as dicts. `.name`, `.columns`; `.df` is a pandas DataFrame where pandas is installed."""

    def __init__(self, name: str, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
        self.name = name
        self.columns = list(columns)
        width = len(self.columns)
        made = []
        for row in rows:
            if len(row) < width:
                row = [*row, *([None] * (width - len(row)))]
            made.append(dict(zip(self.columns, row)))
        list.__init__(self, made)

    @property
    def df(self):
        """The rows as a DataFrame. An ImportError where this Python has no pandas."""
        return importlib.import_module("pandas").DataFrame(list(self), columns=self.columns)

    def __repr__(self) -> str:
        columns = ", ".join(self.columns[:20]) + (", …" if len(self.columns) > 20 else "")
        return f"<table {self.name!r} of {len(self)} rows: {columns}>"


class Tables(list):
    """Tables by number or by name."""

    def __getitem__(self, key):
        if isinstance(key, str):
            for table in list.__iter__(self):
                if table.name == key:
                    return table
            raise KeyError(f"there is no table {key!r}; the tables are {', '.join(self.keys())}")
        return list.__getitem__(self, key)

    def __contains__(self, wanted: object) -> bool:
        if isinstance(wanted, str):
            return wanted in self.keys()
        return list.__contains__(self, wanted)

    def keys(self) -> "list[str]":
        """The names, in order."""
        return [table.name for table in list.__iter__(self)]


def tables_in(kind: str, text: str, name: str) -> Tables:
    """The table that a text of this kind is; none for other kinds."""
    if kind in ("csv", "tsv"):
        return Tables([csv_table(text, name, "\t" if kind == "tsv" else None)])
    if kind == "jsonl":
        return Tables([records_table(_json_lines(text), name)])
    if kind == "subtitles":
        return Tables([Table(name, ["start", "end", "text"], cues_of(text))])
    if kind == "json":
        value = parse_json(text)
        return Tables([records_table(value, name)]) if isinstance(value, list) else Tables()
    return Tables()


def csv_table(text: str, name: str, delimiter: "str | None" = None) -> Table:
    """A table of lines of cells. A column is numbers, truth values or None where all of its cells are; else text."""
    text = text.removeprefix("\ufeff")
    limit = csv.field_size_limit(_FIELD_CHARS)
    try:
        rows = [row for row in _reader(_StringIO(text, newline=""), delimiter=delimiter or delimiter_of(text)) if row]
    except csv.Error as error:
        raise ValueError(f"{name} is not a table of cells: {error}") from None
    finally:
        csv.field_size_limit(limit)
    if not rows:
        return Table(name, [], [])
    width = max(map(len, rows))
    columns = column_names([*rows[0], *([""] * (width - len(rows[0])))])
    cells = [[typed(cells) for cells in zip(*(padded(row, width) for row in rows[1:]))]]
    return Table(name, columns, list(zip(*cells[0])) if cells[0] else [])


def csv_head(text: str, kind: str) -> "list[str]":
    """The names of the columns of lines of cells, by the beginning of the text."""
    head = text[:_HEAD_CHARS].removeprefix("\ufeff")
    lines = _reader(_StringIO(head, newline=""), delimiter="\t" if kind == "tsv" else delimiter_of(head))
    return column_names(next((row for row in lines if row), []))


def padded(row: "list[str]", width: int) -> "list[str]":
    """A row of that width: cells that are missing at its end are empty."""
    return row if len(row) == width else [*row, *([""] * (width - len(row)))]


def delimiter_of(text: str) -> str:
    """The sign that cuts most lines into the same number of cells, more than one."""
    sample = "\n".join(text[:1_000_000].split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES])

    def quality(sign: str) -> "tuple[float, int]":
        counts = [len(row) for row in _reader(_StringIO(sample, newline=""), delimiter=sign) if row]
        usual = max(set(counts), key=counts.count) if counts else 1
        return (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)

    return max(_DELIMITERS, key=quality)


def column_names(heads: "list[str]") -> "list[str]":
    """Names for columns: each once, none empty."""
    names: "dict[str, None]" = {}
    for number, head in enumerate(heads, 1):
        wanted = " ".join(head.split()) or f"column {number}"
        name, more = wanted, 2
        while name in names:
            name, more = f"{wanted} {more}", more + 1
        names[name] = None
    return list(names)


def typed(cells: "Sequence[str]") -> "Sequence[object]":
    """The cells of a column as numbers or truth values, where each of them is one or empty; empty ones are None then.

    Numbers with leading zeros and more digits than 18 are names of things: they stay texts.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return [None] * len(cells)
    if all(map(_INTEGER.fullmatch, filled)):
        return [int(cell) if cell.strip() else None for cell in cells]
    if all(_FLOAT.fullmatch(cell) and not _LEADING_ZERO.match(cell) for cell in filled):
        if all(len(cell) <= 25 for cell in filled) and not all(cell.lstrip("+-").isdigit() for cell in filled):
            return [float(cell) if cell.strip() else None for cell in cells]
    if all(cell.lower() in _BOOLEANS for cell in filled):
        return [_BOOLEANS[cell.strip().lower()] if cell.strip() else None for cell in cells]
    return cells


def typed_cell(sample: "Sequence[str]") -> "Callable[[str], object]":
    """The function that makes values of the cells of a column, by its first ones. Cells of another type stay text."""
    kinds = {type(value) for value in typed(sample) if value is not None}
    if kinds == {int}:
        return lambda cell: int(cell) if _INTEGER.fullmatch(cell.strip()) else cell if cell.strip() else None
    if kinds == {float}:
        return lambda cell: float(cell) if _FLOAT.fullmatch(cell.strip()) else cell if cell.strip() else None
    if kinds == {bool}:
        return lambda cell: _BOOLEANS.get(cell.strip().lower(), cell) if cell.strip() else None
    return lambda cell: cell


_CUE = re.compile(r"(?:(\d+):)?(\d+):(\d+)[.,](\d+)\s+-->\s+(?:(\d+):)?(\d+):(\d+)[.,](\d+)")


def cues_of(text: str) -> "list[tuple[float, float, str]]":
    """The cues of subtitles (SRT, WebVTT): start and end in seconds, and what is said."""
    cues: "list[tuple[float, float, str]]" = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        lines = block.strip().split("\n")
        for number, line in enumerate(lines):
            found = _CUE.match(line)
            if found is not None:
                said = re.sub(r"<[^>]*>", "", "\n".join(lines[number + 1 :]))
                cues.append((_seconds(found.groups()[:4]), _seconds(found.groups()[4:]), said.strip()))
                break
    return cues


def _seconds(parts: "Sequence[str | None]") -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def records_table(records: "list", name: str) -> Table:
    """A list of dicts as a table of all their keys; other values are in the column `value`."""
    columns: "dict[str, None]" = {}
    rows = [record if isinstance(record, dict) else {"value": record} for record in records]
    for row in rows:
        columns.update(dict.fromkeys(row))
    return Table(name, list(columns), [[row.get(column) for column in columns] for row in rows])


def _json_lines(text: str) -> "Iterator[object]":
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield parse_json(line)
            except ValueError as error:
                raise ValueError(f"line {number} is not JSON: {error}") from None


for _class in (Table, Tables):
    _class.__module__ = "builtins"
