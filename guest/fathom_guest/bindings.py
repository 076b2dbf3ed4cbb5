"""Puts the caller's values and tools into the namespace."""

from .own import own_builtins as __builtins__

import random
import sys
from collections.abc import Callable, Iterator
from types import MappingProxyType

from .answers import Answers
from .channel import Channel
from .document_source import DocumentSource, Library
from .documents import Document, Documents, TextDocument
from .errors import BudgetExceeded, CommandError, LLMError
from .frames import decode_text
from .json_values import parse_json
from .large_documents import LargeText, table_of
from .limits import Limits
from .namespace import Namespace
from .projection import project
from .tools import Tool
from .unavailable import Unavailable

#: Gives the content of a file value: text, or bytes that are decoded here.
LoadFile = Callable[[dict], object]

_seed = random.seed


class Bindings:
    """Serves `bind`."""

    def __init__(
        self,
        namespace: Namespace,
        channel: Channel,
        answers: Answers,
        before: Callable[[], None],
        load_file: "LoadFile | None",
        limits: Limits,
    ) -> None:
        self._namespace = namespace
        self._channel = channel
        self._answers = answers
        self._before = before
        self._load_file = load_file
        self._limits = limits
        #: Values that no variable but a mapping has, by their names with a dot.
        self._parts: "dict[str, object]" = {}
        self.query: Callable = lambda *_: None
        self.query_batched: Callable = lambda *_: None
        self._library = Library(channel, lambda: (self.query, self.query_batched))
        self._library.large_text, self._library.lazy_table = LargeText, table_of
        #: US dollars per million tokens of the sub-model, input and output; None where they are not known.
        self.prices: "tuple[float, float] | None" = None

    def bind_errors(self) -> None:
        """The exceptions that cells catch by name."""
        for error in (LLMError, BudgetExceeded):
            self._namespace.protect(error.__name__, error)

    def bind(self, header: dict, parts: list[memoryview]) -> None:
        """Values in the order given, then tools, then the rules of the answer."""
        texts = iter(parts)
        for index, value in enumerate(header.get("values", ())):
            try:
                made = self.make(value, texts)
            except (ValueError, RecursionError) as error:  # nested deeper than Python reads it
                # The host knows what the caller calls it: the guest has no paths.
                raise CommandError("context-invalid", str(error), value=index) from None
            if "." in value["name"]:
                self._parts[value["name"]] = made  # a mapping that comes later has it
            else:
                self._namespace.protect(value["name"], made, data=True)
        for tool in header.get("tools", ()):
            self._namespace.protect_made(tool["name"], self._maker_of(tool))
        if "prices" in header:
            self.prices = None if header["prices"] is None else tuple(header["prices"])
        if "output" in header:
            output = header["output"]
            self._answers.reset()
            self._answers.properties = None if output is None else list(output["properties"])

    def _maker_of(self, tool: dict) -> "Callable[[], dict[str, object]]":
        name, description, parameters = tool["name"], tool["description"], tool["parameters"]
        return lambda: {name: Tool(name, description, parameters, self._channel, self._before, self._limits)}

    def make(self, value: dict, texts) -> object:
        """Builds the value that a description describes."""
        kind = value["kind"]
        if kind == "none":
            return None
        if kind == "text":
            return decode_text(next(texts))
        if kind == "json":
            return parse_json(decode_text(next(texts)))
        if kind == "bytes":
            return bytes(next(texts))
        if kind == "file":
            return self.load(value)
        if kind == "projection":
            return project(value, self._channel, self.query, self.query_batched)
        if kind == "mapping":
            return MappingProxyType({name.rpartition(".")[2]: self._part(name) for name in value["names"]})
        if kind == "alias":
            return self._namespace.bound(value["of"])
        if kind == "unavailable":
            return Unavailable(value["message"])
        if kind == "documents":
            packed = self.unpack(value)
            sources = self.sources_of(value)
            return Documents([self.make_document(one, texts, packed, sources) for one in value["documents"]])
        if kind == "document":
            return self.make_single(value)
        raise CommandError("repl-failure", f"this guest cannot bind a value of kind {kind!r}")

    def bound_values(self) -> "Iterator[tuple[str, object]]":
        """The data that the host bound, by name: contexts, seed values, attachments."""
        namespace = self._namespace
        yield from ((name, namespace.protected[name]) for name in namespace.data)
        yield from self._parts.items()

    def _part(self, name: str) -> object:
        return self._parts[name] if name in self._parts else self._namespace.bound(name)

    def unpack(self, value: dict) -> "Iterator[str]":
        """The contents of packed documents, in their order. One pack at a time is taken apart."""
        packs = value.get("packs", ())
        number, pack, at = -1, "", 0
        for one in value["documents"]:
            content = one["content"]
            if content["kind"] != "packed":
                continue
            if content["pack"] != number:
                number, at = content["pack"], 0
                pack = self.load(packs[number])
            end = at + content["length"]
            yield pack[at:end]
            at = end

    def make_single(self, value: dict) -> "TextDocument | LargeText | Document":
        """One file: its text with the attributes of a document, or a document where it has no text."""
        path, facts = value["path"], value["facts"]
        source = None
        if value["id"]:
            source = DocumentSource(self._library, (value["id"], "0", path), facts["kind"], value["bytes"], facts)
        if value["text"] is None:
            return Document(path, source) if source is None or facts["large"] is None else source.read_text()
        return TextDocument(self.load(value["text"]), path, source)

    def sources_of(self, value: dict) -> "Iterator[DocumentSource]":
        """Documents that the host converts when they are used, in their order."""
        converted = (one for one in value["documents"] if one["content"]["kind"] == "converted")
        for place, one in enumerate(converted):
            content = one["content"]
            where = (value["id"], str(place), one["path"])
            yield DocumentSource(self._library, where, content["as"], content["bytes"])

    def make_document(self, one: dict, texts, packed: "Iterator[str]", sources: "Iterator[DocumentSource]") -> Document:
        """A document. An error names it, as the host knows only the whole list."""
        about = one.get("about")
        if one["content"]["kind"] == "converted":
            return Document(one["path"], next(sources), about)
        if one["content"]["kind"] == "packed":
            text = next(packed)
            return Document(one["path"], text.encode("latin-1") if one["content"]["bytes"] else text, about)
        try:
            return Document(one["path"], self.make(one["content"], texts), about)
        except ValueError as error:
            raise ValueError(f"{one['path']}: {error}") from None

    def load(self, value: dict) -> object:
        """The content of a file, through the backend's own way to it."""
        if self._load_file is None:
            raise CommandError("repl-failure", "this backend cannot load files")
        content = self._load_file(value)
        if value["as"] == "bytes":
            # A backend that has only texts brings each byte as the character of its number.
            return content.encode("latin-1") if isinstance(content, str) else bytes(content)
        text = content if isinstance(content, str) else decode_file(content, value["encoding"], value["skip"])
        return parse_json(text) if value["as"] == "json" else text

    def reseed(self) -> None:
        """New random numbers, in numpy too where it is loaded."""
        _seed()
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.random.seed()


def decode_file(content, encoding: str, skip: int) -> str:
    """The text of a file. Bytes that are not text of that encoding become U+FFFD."""
    return str(memoryview(content)[skip:], encoding, "replace")
