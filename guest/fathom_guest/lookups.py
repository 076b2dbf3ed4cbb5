"""Values that leave by name: answers in a reply's text, variables read and set from outside."""

from .own import own_builtins as __builtins__

from .answers import is_data, is_empty, make_answer
from .errors import CommandError
from .frames import decode_text, encode_text, fitting
from .json_values import json_text, parse_json
from .limits import Limits
from .namespace import Namespace, check_name, listed
from .panel import type_name
from .tracebacks import describe

_MISSING = object()
#: Bytes of names in a header; the host shows the first 50.
_NAMES_BYTES = 8 * 1024


class Lookups:
    """Reads the namespace for the host."""

    def __init__(self, namespace: Namespace, limits: Limits) -> None:
        self._namespace = namespace
        self._limits = limits

    def answer(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        """The value of a name or an f-string as an answer."""
        try:
            if header["kind"] == "f-string":
                return self._found(eval(compile(decode_text(parts[0]), "<FINAL>", "eval"), self._namespace.names))
            value = self._namespace.get(header["name"], _MISSING)
            if header["name"] == "answer" and value is self._namespace.bound("answer"):
                value = self._draft(value)
            if value is _MISSING:
                value = self._builtin(header["name"])
            if value is _MISSING:
                return {"kind": "unbound", "names": fitting(sorted(self._namespace.user_names()), _NAMES_BYTES)}, ()
            if not is_data(value):
                return {"kind": "not-data", "type": type_name(value)}, ()
            return self._found(value)
        except CommandError:
            raise
        except BaseException as error:
            name, message, trace = describe(error, self._limits.output_chars)
            return {"kind": "error", "error": {"type": name}}, (encode_text(message), encode_text(trace))

    def _draft(self, answer: object) -> object:
        """The content of the `answer` dict, which a reply means by its name."""
        content = answer.get("content") if isinstance(answer, dict) else None
        return _MISSING if is_empty(content) else content

    def _builtin(self, name: str) -> object:
        """`len` and its like are bound, but no data."""
        value = __builtins__.get(name, _MISSING)
        return value if callable(value) else _MISSING

    def _found(self, value: object) -> tuple[dict, tuple]:
        made = make_answer("final-var", value)
        limit = self._limits.answer_bytes
        if len(made.data) > limit:
            message = f"The answer has {len(made.data)} bytes, and the limit is {limit} bytes (answerBytes)."
            raise CommandError("answer-too-large", message)
        return {"kind": "answer", "answer": {"via": made.via, "form": made.form}}, (made.data,)

    def get(self, name: str) -> bytes:
        """A variable as JSON text."""
        value = self._namespace.get(name, _MISSING)
        if value is _MISSING or (isinstance(name, str) and name.startswith("__")):
            names = listed(self._namespace.user_names())
            raise CommandError("variable-not-found", f"There is no variable {name!r}. These exist: {names}.")
        text = json_text(value)
        if text is None:
            raise CommandError("not-json", f"The variable {name!r} is a {type_name(value)} and has no JSON form.")
        data = encode_text(text)
        if len(data) > self._limits.disk_bytes:
            size = f"{len(data)} bytes of JSON, and the limit is {self._limits.disk_bytes} bytes (diskBytes)"
            raise CommandError("repl-failure", f"The variable {name!r} has {size}.")
        return data

    def set(self, name: str, text: str) -> None:
        """Binds a variable to the value of a JSON text."""
        check_name(name)
        self._namespace.set(name, parse_json(text))
