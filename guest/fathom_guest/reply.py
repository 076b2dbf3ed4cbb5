"""The value that a sub-call returns: a string with the model, usage and truncation of the call."""

from .own import own_builtins as __builtins__

from collections.abc import Sequence

from .frames import decode_text, loads


class Reply(str):
    """The text of a model's reply. `.ok`, `.usage`, `.truncated`, `.error`, `.value`, `.reasoning`."""

    #: False for a failed item of a batch; its text is "".
    ok: bool = True
    #: `{"input_tokens", "output_tokens", "cost_usd"}`; the cost is None where it is unknown.
    usage: dict
    #: The reply hit its length limit.
    truncated: bool = False
    #: None, or `{"code", "message"}`.
    error: "dict | None" = None
    #: The typed value, when `output=` was given.
    value: object = None
    #: The model's reasoning before its answer, or None.
    reasoning: "str | None" = None

    def __new__(
        cls,
        text: str = "",
        ok: bool = True,
        usage: "dict | None" = None,
        truncated: bool = False,
        error: "dict | None" = None,
        value: object = None,
        reasoning: "str | None" = None,
    ) -> "Reply":
        reply = str.__new__(cls, text)
        reply.ok = ok
        reply.usage = usage if usage is not None else {"input_tokens": 0, "output_tokens": 0, "cost_usd": None}
        reply.truncated = truncated
        reply.error = error
        reply.value = value
        reply.reasoning = reasoning
        return reply

    def __reduce__(self) -> tuple:
        # By a function: `pickle` would look for the class in `builtins`, where it says it is from.
        return (
            _remade,
            (str.__str__(self), self.ok, self.usage, self.truncated, self.error, self.value, self.reasoning),
        )


Reply.__module__ = "builtins"


def _remade(*fields) -> Reply:
    return Reply(*fields)


def reasoning_of(entry: dict, parts: Sequence[memoryview]) -> "str | None":
    """The reasoning is the last part where the entry says that there is one."""
    return decode_text(parts[-1]) if entry.get("reasoning") and parts else None


def make_reply(entry: dict, parts: Sequence[memoryview]) -> Reply:
    """The reply in a slot that the host has filled."""
    spent = entry.get("usage") or (0, 0, None)
    if len(entry) == 4 and entry["ok"] and len(parts) == 1:  # the usual: id, ok, parts, usage
        reply = str.__new__(Reply, str(parts[0], "utf-8"))
        reply.usage = {"input_tokens": spent[0], "output_tokens": spent[1], "cost_usd": spent[2]}
        return reply
    error = entry.get("error")
    reasoning = reasoning_of(entry, parts)
    values = len(parts) - (0 if reasoning is None else 1)
    return Reply(
        decode_text(parts[0]) if parts else "",
        entry["ok"],
        {"input_tokens": spent[0], "output_tokens": spent[1], "cost_usd": spent[2]},
        entry.get("truncated", False),
        None if error is None else {"code": error.get("code"), "message": error.get("message")},
        loads(str(parts[1], "utf-8")) if values > 1 else None,
        reasoning,
    )
