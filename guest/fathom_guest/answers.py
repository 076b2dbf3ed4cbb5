"""Answers from code: FINAL, FINAL_VAR, SUBMIT and the `answer` dict; `continue_with`."""

from .own import own_builtins as __builtins__

import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from .channel import Channel
from .errors import AnswerInvalid, AnswerTooLarge, CellEnd, host_error
from .frames import encode_text, loads
from .json_values import json_text
from .limits import Limits
from .namespace import LONGEST_NAME, Namespace, listed
from .queried import plain
from .slots import Slot

_MISSING = object()


class Answer:
    """An answer as it leaves the guest. `form` says what the text is: the value itself, its JSON, or its `str`."""

    __slots__ = ("via", "form", "data")

    def __init__(self, via: str, form: str, data: bytes) -> None:
        self.via = via
        self.form = form
        self.data = data


def make_answer(via: str, value: object) -> Answer:
    """The value as an answer."""
    value = plain(value)
    if isinstance(value, str):
        return Answer(via, "string", encode_text(str.__str__(value)))
    as_json = json_text(value)
    if as_json is not None:
        return Answer(via, "json", encode_text(as_json))
    return Answer(via, "text", encode_text(str(value)))


def is_empty(value: object) -> bool:
    """None, "" and blanks."""
    return value is None or (isinstance(value, str) and not str.strip(value))


def unquoted(name: str) -> str:
    """A name without blanks and quotes around it, as a reply's FINAL_VAR takes it."""
    name = str.strip(name)
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'" else name


def is_data(value: object) -> bool:
    """No function, class or module."""
    return not isinstance(value, (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)) and not callable(
        value
    )


class Answers:
    """The answers that cells give. The first answer of a cell counts."""

    def __init__(self, channel: Channel, namespace: Namespace, limits: Limits) -> None:
        self._limits = limits
        #: Property names of the output schema, or None when the answer is not typed.
        self.properties: "list[str] | None" = None
        self.answer: dict = {"content": "", "ready": False}
        self.first: "Answer | None" = None
        self.continuation: "str | None" = None
        self._channel = channel
        self._namespace = namespace

    def bind(self) -> None:
        """Binds the names."""
        self._namespace.protect_made("(answers)", self._make_functions)
        self._namespace.protect("answer", self.answer)

    def _make_functions(self) -> dict:
        functions = (self.make_final(), self.make_final_var(), self.make_submit(), self.make_continue_with())
        for function in functions:
            function.__module__ = "builtins"
            function.__qualname__ = function.__name__
        return {function.__name__: function for function in functions}

    def reset(self) -> None:
        """A completion starts: a draft that an earlier completion of the session left in `answer` does not count."""
        self._adopt()
        self.answer.clear()
        self.answer.update(content="", ready=False)

    def begin(self) -> None:
        """A cell starts."""
        self.first = None
        self.continuation = None

    def make_final(self):
        def FINAL(value):
            """Gives the answer and ends the cell."""
            self.give("final", value)

        return FINAL

    def make_final_var(self):
        def FINAL_VAR(name):
            """Gives the value of a variable, named with or without quotes, as the answer and ends the cell."""
            if not isinstance(name, str):
                self.give("final-var", name)
            given = name
            name = unquoted(name)
            value = self._namespace.get(name, _MISSING)
            if value is _MISSING:
                value = sys._getframe(1).f_locals.get(name, _MISSING)
            if value is self.answer and not is_empty(value.get("content")):
                value = value["content"]
            if value is _MISSING and self._is_value(given, sys._getframe(1).f_locals):
                # FINAL_VAR(report): without quotes it is the text that the variable holds.
                self.give("final-var", given)
            if value is _MISSING:
                if len(name) > LONGEST_NAME:
                    raise NameError(
                        f"FINAL_VAR takes the name of a variable, not a text of {len(name)} characters: "
                        "use FINAL for the text itself"
                    )
                names = listed(self._namespace.user_names())
                raise NameError(f"FINAL_VAR: there is no variable {name!r}. These exist: {names}")
            if not is_data(value):
                raise TypeError(f"FINAL_VAR: {name} is a {type(value).__name__}, not data")
            self.give("final-var", value)

        return FINAL_VAR

    def _is_value(self, text: str, local_names: dict) -> bool:
        """Whether a variable holds this very text, so that it is a value and not a name."""
        names = self._namespace.user_names()
        return any(self._namespace.get(name) is text for name in names) or any(
            value is text for value in local_names.values()
        )

    def make_submit(self):
        def SUBMIT(*values, **fields):
            """SUBMIT(a=…, b=…) gives {"a": …, "b": …} as the answer and ends the cell."""
            if values and self.properties is None:
                if len(values) == 1 and not fields:
                    self.give("final", values[0])
                raise TypeError(
                    "SUBMIT takes keyword arguments (or one value): there is no output schema to order others by"
                )
            if len(values) > len(self.properties or ()):
                raise TypeError(
                    f"SUBMIT takes at most {len(self.properties or ())} positional arguments, {len(values)} given"
                )
            given = dict(zip(self.properties or (), values))
            twice = [name for name in given if name in fields]
            if twice:
                raise TypeError(f"SUBMIT got {twice[0]!r} twice")
            self.give("final", {**given, **fields})

        return SUBMIT

    def make_continue_with(self):
        def continue_with(text):
            """Ends the cell; the next turn starts from `text`."""
            if not isinstance(text, str):
                raise TypeError(f"continue_with takes a str, not {type(text).__name__}")
            self._channel.tracker.check()
            limit = self._limits.output_chars
            if limit is not None and len(text) > limit:
                raise ValueError(f"the text has {len(text)} characters, and the limit is {limit} (outputChars)")
            if self.continuation is None:
                self.continuation = str.__str__(text)
            raise CellEnd

        return continue_with

    def give(self, via: str, value: object) -> None:
        """Takes an answer and ends the cell."""
        self._channel.tracker.check()
        if self.first is None:
            self.first = self.checked(via, value)
        raise CellEnd

    def checked(self, via: str, value: object) -> Answer:
        """The answer, when it may be given. Raises what the cell is to see otherwise."""
        name = {"final": "FINAL", "final-var": "FINAL_VAR"}.get(via, 'answer["content"]')
        if self.properties is None and is_empty(value):
            raise AnswerInvalid(f"{name}: the answer is empty. Give the answer itself.")
        made = make_answer(via, value)
        limit = self._limits.answer_bytes
        if len(made.data) > limit:
            raise AnswerTooLarge(
                f"{name}: the answer has {len(made.data)} bytes, and the limit is {limit} bytes (answerBytes)"
            )
        if self.properties is not None:
            self._check_with_host(name, made)
        return made

    def _check_with_host(self, name: str, made: Answer) -> None:
        slot = Slot()
        self._channel.request({"op": "check-answer", "form": made.form}, (made.data,), (slot,))
        self._channel.wait(slot)
        if not slot.entry["ok"]:
            raise host_error(slot.entry.get("error") or {})
        errors = loads(str(slot.parts[0], "utf-8"))
        if errors:
            raise AnswerInvalid(
                f"{name}: the answer does not fit the output schema:\n" + "\n".join(f"- {text}" for text in errors)
            )

    def collect(self) -> "Answer | None":
        """The answer at the end of a cell that ended well: of FINAL, else of the `answer` dict when it is ready."""
        given = self._adopt()
        if self.first is None and not given.get("ready"):
            return None
        # Taken, refused or beaten by FINAL: the next cell starts without an answer; the content stays as a draft.
        given["ready"] = False
        return self.first or self.checked("answer", given.get("content"))

    def reset_ready(self) -> None:
        """The cell ended in an error: an answer in it is not taken."""
        self.first = None
        self._adopt()
        self.answer["ready"] = False

    def drafted(self) -> bool:
        """Whether there may be a draft, at the end of a cell: the host asks for it only then."""
        try:
            content = dict.get(self.answer, "content")
        except BaseException:  # a key of the cell's own class that refuses to be compared
            return True
        return not (content is None or (type(content) is str and is_empty(content)))

    def draft(self) -> "Answer | None":
        """The value of `answer["content"]`, when it has one."""
        content = self._adopt().get("content")
        return None if is_empty(content) else make_answer("answer", content)

    def _adopt(self) -> dict:
        """The `answer` dict. One that the cell bound instead of ours is copied into ours, which comes back."""
        bound = self._namespace.get("answer")
        if bound is not self.answer and isinstance(bound, dict):
            held = dict(bound)
            self.answer.clear()
            self.answer.update(held)
        elif isinstance(bound, str) and not is_empty(bound):
            # `answer = llm_query(…)`: the cell means a draft.
            self.answer["content"] = bound
        return self.answer
