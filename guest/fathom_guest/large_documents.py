"""Documents that are larger than a REPL should hold: text, lines and tables are read from the host piece by piece."""

from .own import own_builtins as __builtins__

import csv
import importlib
from collections.abc import Callable, Iterator, Sequence

from .documents import Described
from .json_values import parse_json
from .lazy_items import LazyItems
from .paging import Pending
from .projected_text import ProjectedText
from .projection import ProjectedList
from .tables import column_names, delimiter_of, padded, typed_cell

_reader = csv.reader
#: Rows by which columns and their types are found.
_SAMPLE_ROWS = 1_000
#: Characters by which the sign between cells is found.
_SAMPLE_CHARS = 100_000
#: Rows up to which a table becomes a DataFrame.
_FRAME_ROWS = 5_000_000
#: Characters of the longest literal that the host searches for.
_LITERAL = 1_000
#: Above every number of a record.
_ALL = 2**52


class PartPending:
    """A read of a part of a document, which `made` turns into items."""

    __slots__ = ("_again", "_made", "_pending")

    def __init__(self, again: "Callable[[], Pending]", made: Callable) -> None:
        self._again = again
        self._made = made
        self._pending = again()

    def take(self) -> "tuple[Sequence, int]":
        """The items, and the bytes of their JSON. The host may need more than one request to find where they are."""
        while True:
            value, size = self._pending.take()
            made = self._made(value)
            if made is not None:
                return made, size
            self._pending = self._again()


class TextSource:
    """The text of a document, for a projected text."""

    def __init__(self, document, length: int) -> None:
        self.channel = document.channel
        self.limit = length
        self._document = document

    def length(self) -> int:
        return self.limit

    def begin(self, start: int, stop: int) -> PartPending:
        return PartPending(lambda: self._document.begin(f"slice {start} {stop}"), str)


class LinesSource(TextSource):
    """The lines of a document, for a projected list."""

    def begin(self, start: int, stop: int) -> PartPending:
        return PartPending(lambda: self._document.begin(f"lines {start} {stop}"), list)


class RecordsSource:
    """The rows of a table of a document, for a projected list. `facts`: `form`, and `columns` and `rows` if known."""

    def __init__(self, document, number: int, facts: dict) -> None:
        self.channel = document.channel
        self._document = document
        self._number = number
        self._form = facts["form"]
        self._columns = facts["columns"]
        #: Rows of the table; None while they are not counted.
        self.limit = facts["rows"]
        self._cells: "Callable[[str], dict] | None" = None
        self._delimiter = ""

    def length(self) -> int:
        while self.limit is None:
            self._count(self._ask(_ALL, _ALL).take()[0])
        return self.limit

    @property
    def columns(self) -> "list[str]":
        """The names of the columns. In JSON Lines those of the first rows; later rows may have others."""
        self._prepare()
        return self._columns

    def begin(self, start: int, stop: int) -> PartPending:
        self._prepare()
        return PartPending(lambda: self._ask(start, stop), lambda value: self._rows(value, start))

    def _ask(self, start: int, stop: int) -> Pending:
        head = 1 if self._form == "csv" else 0
        delimiter = f" {ord(self._delimiter)}" if self._form == "csv" else ""
        return self._document.begin(f"records {self._number} {start + head} {stop + head}{delimiter}")

    def _count(self, value: dict) -> None:
        if value["total"] is not None:
            self.limit = max(0, value["total"] - (1 if self._form == "csv" else 0))

    def _rows(self, value: dict, start: int) -> "list[dict] | None":
        """None where the host has not come so far."""
        self._count(value)
        if not value["records"] and value["total"] is None:
            return None
        return [self._row(record, start + offset) for offset, record in enumerate(value["records"])]

    def _row(self, record: str, number: int) -> dict:
        try:
            return self._cells(record)
        except (ValueError, csv.Error) as error:
            raise ValueError(f"row {number} of {self._document.path}: {error}") from None

    def _prepare(self) -> None:
        """Finds columns and types, once."""
        if self._cells is not None:
            return
        if self._form == "cells":
            columns = self._columns
            self._cells = lambda record: dict(zip(columns, parse_json(record)))
        elif self._form == "csv":
            self._prepare_csv()
        else:
            self._prepare_records()

    def _sample(self, start: int, stop: int) -> "list[str]":
        def records(value: dict) -> "list[str] | None":
            return value["records"] or (None if value["total"] is None else [])

        return PartPending(lambda: self._ask(start, stop), records).take()[0]

    def _prepare_csv(self) -> None:
        known = "\t" if self._document.path.lower().endswith((".tsv", ".tab")) else None
        self._delimiter = known or delimiter_of(self._document.get(f"slice 0 {_SAMPLE_CHARS}"))
        # Record 0 has the names: it lies before row 0.
        head, *sample = [self._split(record) for record in self._sample(-1, _SAMPLE_ROWS)] or [[]]
        width = max(map(len, [head, *sample]))
        columns = self._columns = column_names(padded(head, width))
        kinds = [typed_cell(cells) for cells in zip(*(padded(row, width) for row in sample))]
        kinds += [str] * (width - len(kinds))

        def cells(record: str) -> dict:
            return {name: kind(cell) for name, kind, cell in zip(columns, kinds, padded(self._split(record), width))}

        self._cells = cells

    def _split(self, record: str) -> "list[str]":
        limit = csv.field_size_limit(max(len(record), 1))
        try:
            return next(_reader([record.removesuffix("\r").removeprefix("\ufeff")], delimiter=self._delimiter), [])
        finally:
            csv.field_size_limit(limit)

    def _prepare_records(self) -> None:
        names: "dict[str, None]" = {}
        for record in self._sample(0, _SAMPLE_ROWS):
            row = parse_json(record)
            names.update(dict.fromkeys(row if isinstance(row, dict) else ("value",)))
        columns = self._columns = list(names)

        def cells(record: str) -> dict:
            row = parse_json(record)
            row = row if isinstance(row, dict) else {"value": row}
            return {**{column: row.get(column) for column in columns}, **row}

        self._cells = cells


class LazyTable(ProjectedList):
    """Rows as dicts, read on demand. `.name`, `.columns`; `.df` is a pandas DataFrame where pandas is installed."""

    def __init__(self, name: str, source: RecordsSource, query: Callable, query_batched: Callable) -> None:
        super().__init__(source, query, query_batched)
        self.name = name

    @property
    def columns(self) -> "list[str]":
        """The names of the columns."""
        return self._reads.columns

    @property
    def df(self):
        """The rows as a DataFrame. An ImportError without pandas, an OverflowError for too many rows."""
        frame = importlib.import_module("pandas").DataFrame
        if self._length() > _FRAME_ROWS:
            raise OverflowError(f"{self._length()} rows are too many for one DataFrame: make it of a slice, rows[a:b]")
        return frame(list(self), columns=self.columns)

    def __repr__(self) -> str:
        columns = ", ".join(self.columns[:20]) + (", …" if len(self.columns) > 20 else "")
        rows = "" if self._reads.limit is None else f" of {self._reads.limit} rows"
        return f"<table {self.name!r}{rows}, read on demand: {columns}>"


def table_of(document, number: int, facts: dict) -> LazyTable:
    """The table of a document that is read on demand."""
    return LazyTable(facts["name"], RecordsSource(document, number, facts), *document.asks)


class LazyPages(LazyItems):
    """The pages of a large text."""

    _page_items = 1

    def __init__(self, text: ProjectedText, starts: "list[int]") -> None:
        self._text = text
        self._starts = starts

    def _length(self) -> int:
        return len(self._starts)

    def _read_page(self, start: int, stop: int) -> "list[str]":
        ends = [*self._starts[start + 1 : stop + 1], self._text.size][: stop - start]
        return [self._text[at:end].removesuffix("\f") for at, end in zip(self._starts[start:stop], ends)]


class LargeText(Described, ProjectedText):
    """One file as its text, read on demand, with `.path`, `.kind`, `.lines`, `.rows`, `.tables`, `.meta` and so on."""

    is_text = True
    size = ProjectedText.size

    def __init__(self, path: str, source) -> None:
        large = source.facts["large"]
        query, query_batched = source.asks
        ProjectedText.__init__(self, TextSource(source, large["characters"]), query, query_batched)
        self.path = path
        self._source = source
        self._line_count = large["lines"]
        self._about: dict = {}

    def find(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The first position of `wanted`, or -1, as `str.find`."""
        for found in self._searched("find", wanted, start, end):
            if found is None:
                return super().find(wanted, start, end)
            if found["at"] is not None:
                return found["at"]
        return -1

    def count(self, wanted: str, start: "int | None" = None, end: "int | None" = None) -> int:
        """The number of occurrences of `wanted` that do not overlap, as `str.count`."""
        total = 0
        for found in self._searched("count", wanted, start, end):
            if found is None:
                return super().count(wanted, start, end)
            total += found["count"]
        return total

    def _searched(self, how: str, wanted: str, start: "int | None", end: "int | None") -> "Iterator[dict | None]":
        """The findings of the host, a few seconds at a time. None where it cannot search: then the text is read."""
        at, stop, _ = slice(start, end).indices(self.size)
        if not isinstance(wanted, str) or not 0 < len(wanted) <= _LITERAL or at >= stop:
            yield None
            return
        code = wanted.encode("utf-8", "surrogatepass").hex()
        while at is not None:
            found = self._source.get(f"{how} {at} {stop} {code}")
            yield found
            at = None if found is None else found["next"]

    @property
    def text(self) -> "LargeText":
        """Itself: it is read on demand."""
        return self

    @property
    def lines(self) -> ProjectedList:
        """The lines that line feeds end, without their ends, read on demand."""
        source = LinesSource(self._source, self._line_count)
        return ProjectedList(source, self._query, self._query_batched)

    @property
    def pages(self) -> LazyPages:
        """The text page by page; a text without pages is one page."""
        return LazyPages(self, self._source.facts["pages"] or [0])

    def __repr__(self) -> str:
        return f"<text of {self.path!r}, {self.size} characters in {self._line_count} lines, read on demand>"


for _class in (LazyTable, LazyPages, LargeText):
    _class.__module__ = "builtins"
