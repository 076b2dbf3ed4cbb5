"""The tables that SQL statements can name: those of the context, and lists of dicts and DataFrames in variables."""

from .own import own_builtins as __builtins__

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .documents import Described, Documents
from .lazy_items import LazyItems
from .queried import Queried
from .sql_names import own_name, sql_name, stem_of
from .tables import csv_head

#: Kinds of documents that are tables, or hold some.
_SURE = frozenset(("csv", "tsv", "jsonl", "subtitles", "xlsx", "ods", "parquet", "sqlite"))
#: Kinds that may hold tables: they are looked at where a statement names them.
_MAYBE = frozenset(("json", "html", "docx", "odt", "pptx", "odp", "epub", "eml"))
#: Kinds whose files the host's engine for large tables reads.
_FILES = frozenset(("parquet", "csv", "tsv"))
#: Characters of a text whose columns are found by reading all of it.
_SHORT = 1_000_000
#: Documents that `tables()` converts to list what is in them.
MOST_LISTED = 50
#: Rows that are taken to SQLite at once.
_BLOCK = 5_000


class Rows:
    """A table to load: its columns, and its rows in blocks, as often as they are asked for."""

    __slots__ = ("columns", "blocks")

    def __init__(self, columns: "Sequence[str]", blocks: "Callable[[], Iterable[list]]") -> None:
        self.columns = list(columns)
        self.blocks = blocks


class ContextTable:
    """A table of a document of the context, under its name in SQL."""

    __slots__ = ("name", "source", "columns", "count", "of", "_read")

    def __init__(
        self, name: str, source: str, facts: dict, of: "ContextDocument", read: "Callable[[], object]"
    ) -> None:
        self.name = name
        #: Its document.
        self.of = of
        #: The path of its document, and the sheet where there are several.
        self.source = source
        #: None where they are known only once it is read.
        self.columns: "list[str] | None" = facts.get("columns")
        self.count: "int | None" = facts.get("rows")
        self._read = read

    def rows(self) -> Rows:
        """Its rows, as Python has them."""
        table = self._read()
        self.columns, self.count = list(table.columns), _count(table)
        return table_rows(table)


class ContextDocument:
    """A document that may have tables. It is read when they are asked for."""

    def __init__(self, document: Described, stem: str, alone: bool, most: int) -> None:
        self.document = document
        self.stem = stem
        self._alone = alone
        #: Too large for SQLite: its statements run over the file.
        self.is_large = self.is_file and document._source.size > most
        self._tables: "list[ContextTable] | None" = None

    @property
    def is_file(self) -> bool:
        """Its file can be read by the host's engine for large tables."""
        return self.document._source is not None and self.document.kind in _FILES

    @property
    def is_sure(self) -> bool:
        """It has tables, without a look into it."""
        return self._alone or self._tables is not None or self.document.kind in _SURE

    @property
    def is_ready(self) -> bool:
        """Its tables can be listed without a conversion."""
        source = self.document._source
        return self.is_large or self._tables is not None or source is None or source._facts is not None

    def tables(self) -> "list[ContextTable]":
        """Its tables: one has the name of the file, several that and the name of the sheet."""
        if self._tables is None:
            facts = list(self._facts())
            taken: "dict[str, int]" = {}
            several = len(facts) > 1
            self._tables = [
                ContextTable(
                    own_name(f"{self.stem}_{sql_name(one['name'])}", taken) if several else self.stem,
                    f"{self.document.path}: {one['name']}" if several else self.document.path,
                    one,
                    self,
                    self._reader(number),
                )
                for number, one in enumerate(facts)
            ]
        return self._tables

    def _reader(self, number: int) -> "Callable[[], object]":
        return lambda: self.document.tables[number]

    def _facts(self) -> "Iterator[dict]":
        """Names, columns and numbers of rows, as far as they are known without reading the rows."""
        document = self.document
        source = document._source
        if self.is_large:
            yield {"name": document.name}
            return
        known = None if source is None else source.facts["tables"]
        if known:
            yield from known
        elif document.kind in ("csv", "tsv") and isinstance(document.text, str):
            yield {"name": document.name, "columns": csv_head(document.text, document.kind)}
        elif document.kind in _SURE and isinstance(document.text, str) and len(document.text) > _SHORT:
            yield {"name": document.name}
        else:
            for table in document.tables:
                count = None if isinstance(table, LazyItems) else len(table)
                yield {"name": table.name, "columns": list(table.columns), "rows": count}


class Catalog:
    """The tables of one context. `most`: bytes up to which a file is loaded into SQLite."""

    def __init__(self, context: object, most: int) -> None:
        taken: "dict[str, int]" = {}
        self.documents: "list[ContextDocument]" = []
        #: Paths of documents whose tables could not be listed, with the reason.
        self.failed: "dict[str, str]" = {}
        found = list(documents_in(context))
        for document in found:
            if document.kind in _SURE or document.kind in _MAYBE:
                stem = own_name(stem_of(document.path), taken)
                self.documents.append(ContextDocument(document, stem, len(found) == 1, most))

    def find(self, name: str) -> "ContextTable | None":
        """The table of that name, in any case. Only documents whose names it begins with are looked into."""
        wanted = name.lower()
        for document in sorted(self.documents, key=lambda one: -len(one.stem)):
            stem = document.stem.lower()
            if wanted == stem or wanted.startswith(f"{stem}_"):
                for table in document.tables():
                    if table.name.lower() == wanted:
                        return table
        return None

    def file_named(self, name: str, value: object) -> "ContextDocument | None":
        """The file that a name means in a statement over files: by the value of a variable, else by its own name."""
        files = [one for one in self.documents if one.is_file]
        wanted = name.lower()
        for one in files:
            if one.document is value:
                return one
        return next((one for one in files if wanted in (one.stem.lower(), f"{one.stem.lower()}_text")), None)

    def only_table(self, value: object) -> "ContextTable | None":
        """The table of a value that is a document of the context with one table."""
        for document in self.documents:
            if document.document is value:
                tables = document.tables()
                return tables[0] if len(tables) == 1 else None
        return None

    def known(self, look: bool = False) -> "list[ContextTable]":
        """The tables of the context. `look`: also those of documents that have to be converted for it."""
        tables: "list[ContextTable]" = []
        for number, document in enumerate([one for one in self.documents if one.is_sure]):
            if document._tables is None and (number >= MOST_LISTED or not (look or document.is_ready)):
                continue
            try:
                tables += document.tables()
            except (ValueError, OSError) as error:
                self.failed[document.document.path] = str(error)
        return tables

    def unread(self) -> "list[str]":
        """The beginnings of names of tables that `known` has left out."""
        return [one.stem for one in self.documents if one.is_sure and one._tables is None]


def documents_in(value: object) -> "Iterator[Described]":
    """The documents of a context."""
    if isinstance(value, Described):
        yield value
    elif isinstance(value, Documents):
        yield from list.__iter__(value)
    elif isinstance(value, Mapping) and not isinstance(value, Queried):
        for part in value.values():
            yield from documents_in(part)


def table_rows(table: object) -> Rows:
    """The rows of a table of a document: a list of dicts, which may be read on demand."""
    columns = list(table.columns)

    def blocks() -> "Iterator[list]":
        for start in range(0, _count(table), _BLOCK):
            yield [[row.get(column) for column in columns] for row in table[start : start + _BLOCK]]

    return Rows(columns, blocks)


def variable_rows(value: object) -> "Rows | None":
    """A variable's value as a table: a list of dicts, a DataFrame, a document with one table. None for other values."""
    if isinstance(value, Described):
        tables = value.tables
        return table_rows(tables[0]) if len(tables) == 1 else None
    if isinstance(value, (list, tuple, LazyItems)):
        return table_rows(value) if hasattr(value, "columns") else _records(value)
    if callable(getattr(value, "itertuples", None)) and hasattr(value, "columns"):
        return Rows(list(value.columns), lambda: [[list(row) for row in value.itertuples(index=False, name=None)]])
    return None


def _records(value: "Sequence") -> "Rows | None":
    names: "dict[object, None]" = {}
    for row in value:
        if not isinstance(row, Mapping):
            return None
        names.update(dict.fromkeys(row))
    columns = list(names)

    def blocks() -> "Iterator[list]":
        block: "list[list]" = []
        for row in value:
            block.append([row.get(column) for column in columns])
            if len(block) == _BLOCK:
                yield block
                block = []
        yield block

    return Rows(columns, blocks)


def _count(table: object) -> int:
    return table._length() if isinstance(table, LazyItems) else len(table)
