"""Errors that cells see. They print without a module name, as built-in ones do."""

from .own import own_builtins as __builtins__

import builtins as _public


class LLMError(Exception):
    """A model call failed. `code` says how (`model-failure`, `timeout`, `budget`, …)."""

    def __init__(self, message: str = "", code: str = "model-failure", reasoning: "str | None" = None) -> None:
        super().__init__(message)
        self.code = code
        #: The model's reasoning, when it sent only reasoning and no answer.
        self.reasoning = reasoning


class BudgetExceeded(LLMError):
    """A call was refused because a limit or budget is used up. `left` says what is left."""

    def __init__(self, message: str = "", code: str = "budget", left: object = None) -> None:
        super().__init__(message, code)
        self.left = left


class AnswerInvalid(ValueError):
    """An answer that does not fit the output schema, or is empty."""


class SqlError(ValueError):
    """A statement of `sql` that cannot be run; the message says which tables and columns there are."""


class AnswerTooLarge(ValueError):
    """An answer above `answerBytes`."""


class ToolError(Exception):
    """A tool raised an error of a kind Python does not have."""


class HostError(RuntimeError):
    """The host could not serve a request."""


class CellEnd(BaseException):
    """Ends a cell that has given its answer or passed a note to the next turn. Not an error, not for cells to catch."""


class ChannelClosed(BaseException):
    """The host has gone."""


class CommandError(Exception):
    """A command of the host cannot be done; `code` is one of the host's error codes. `fields` say more to the host."""

    def __init__(self, code: str, message: str, **fields: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields


for _class in (LLMError, BudgetExceeded, AnswerInvalid, SqlError, AnswerTooLarge, ToolError, HostError, CellEnd):
    _class.__module__ = "builtins"


def call_error(error: dict, reasoning: "str | None" = None) -> LLMError:
    """The exception for a failed sub-call."""
    code = str(error.get("code", "model-failure"))
    message = str(error.get("message", "the call failed"))
    if code == "budget":
        return BudgetExceeded(message, code, error.get("left"))
    return LLMError(message, code, reasoning)


def host_error(error: dict) -> Exception:
    """The exception for a failed tool or read: a built-in class of that name, or a `ToolError` named so."""
    name = str(error.get("type") or "ToolError")
    message = str(error.get("message", ""))
    known = getattr(_public, name, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(message)
        except TypeError:
            pass  # a class with other arguments (UnicodeDecodeError)
    if name == "HostError":
        return HostError(message)
    if not name.isidentifier() or name == "ToolError":
        return ToolError(message if name == "ToolError" else f"{name}: {message}")
    return type(name, (ToolError,), {"__module__": "builtins"})(message)
