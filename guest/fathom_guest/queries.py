"""`llm_query`, `rlm_query`, their batches and their async forms."""

from .own import own_builtins as __builtins__

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice

from .calls import PLAIN, Call, Calls
from .frames import encode_text
from .json_values import json_text, text_of
from .limits import Limits, check_size
from .pictures import Pictures, pictures_of
from .queried import plain
from .reply import Reply
from .seeds import Bound, seed_part


class Queries:
    """Makes calls out of what cells write; every check is done before the first byte is sent."""

    def __init__(self, calls: Calls, limits: Limits, bound: Bound = tuple) -> None:
        self._calls = calls
        self._bound = bound
        self.limits = limits

    def llm(
        self,
        prompt: object,
        fields: dict,
        shared: Sequence[bytes],
        where: str,
        batch: "tuple | None" = None,
        pictures: "Pictures | None" = None,
    ) -> Call:
        """A flat call. `where` names the prompt in error messages."""
        if isinstance(prompt, str) and pictures is not None:
            fields = {**fields, "images": pictures.sizes}
            return Call(fields, shared, (self._checked(prompt, where), pictures.data), batch)
        if isinstance(prompt, str):
            return Call(fields, shared, (self._checked(prompt, where),), batch)
        if pictures is not None:
            raise TypeError(f"{where} must be a str where images are given")
        if isinstance(prompt, list):
            return Call({**fields, "chat": True}, shared, (self._chat(prompt, where),), batch)
        raise TypeError(f"{where} must be a str or a list of {{role, content}} messages, not {type(prompt).__name__}")

    def rlm(
        self,
        query: object,
        context: object,
        output: object,
        fields: dict,
        batch: "tuple | None" = None,
        encoded: "dict[int, tuple[object, str, bytes]] | None" = None,
        seed: object = None,
    ) -> Call:
        """A child completion. `encoded` keeps contexts by identity: one that items of a batch share is written once."""
        if not isinstance(query, str):
            raise TypeError(f"the query must be a str, not {type(query).__name__}")
        own = [self._checked(query, "the query")]
        fields = dict(fields)
        if context is not None:
            known = None if encoded is None else encoded.get(id(context))
            if known is None:
                known = (context, *self._context(context))
                if encoded is not None:
                    encoded[id(context)] = known  # with the object itself, so that its identity stays its own
            fields["context"] = known[1]
            own.append(known[2])
        if output is not None:
            if not isinstance(output, Mapping):
                raise TypeError(f"output must be a JSON Schema as a dict, not {type(output).__name__}")
            schema = json_text(output)
            if schema is None:
                raise TypeError("output must be a JSON Schema: it holds values that are not JSON")
            fields["output"] = True
            own.append(self._checked(schema, "output"))
        seeds = seed_part(seed, self._bound, self.limits)
        if seeds is not None:
            fields["seed"] = True
            own.append(seeds)
        return Call(fields, (), own, batch)

    def _context(self, context: object) -> "tuple[str, bytes]":
        context = plain(context)
        as_json = None if isinstance(context, str) else json_text(context)
        data = encode_text(text_of(context) if as_json is None else as_json)
        check_size("the context", len(data), self.limits.disk_bytes, "diskBytes")
        return ("text" if as_json is None else "json"), data

    def batch(self, items: Iterable, name: str) -> list:
        """The items of a batch as a list of a length that is allowed."""
        if isinstance(items, (str, bytes, Mapping)):
            raise TypeError(f"{name} must be a list, not {type(items).__name__}")
        limit = self.limits.max_batch_items
        if not isinstance(items, (list, tuple)):
            items = list(islice(items, limit + 1))
        if len(items) > limit:
            count = len(items) if isinstance(items, tuple) or len(items) > limit + 1 else f"more than {limit}"
            raise ValueError(f"one batch takes at most {limit} items (maxBatchItems); this one has {count}")
        return list(items)

    def batch_id(self) -> int:
        """A number for a new batch."""
        return self._calls.batch_id()

    def _checked(self, text: str, where: str) -> str:
        """The text, when its UTF-8 fits. It is encoded only when it is sent: a batch must not double its prompts."""
        text = str.__str__(text)
        if not text or text.isspace():
            raise ValueError(f"{where} is empty")
        limit = self.limits.prompt_bytes
        size = len(text)
        if size * 4 > limit and not text.isascii() and size <= limit:
            size = len(encode_text(text))
        if size > limit:
            more = f"the limit is {limit} bytes (promptBytes): send less of the text per call"
            raise ValueError(f"{where} has {size} bytes or more, and {more}")
        return text

    def _chat(self, messages: list, where: str) -> bytes:
        plain = []
        for message in messages:
            role = message.get("role") if isinstance(message, dict) else None
            content = message.get("content") if isinstance(message, dict) else None
            if role not in ("system", "user", "assistant") or not isinstance(content, str):
                raise TypeError(
                    f"{where} must be a str or a list of {{role, content}} messages "
                    "(role: system, user or assistant; content: str)"
                )
            plain.append({"role": str.__str__(role), "content": str.__str__(content)})
        if not plain:
            raise ValueError(f"{where} is empty")
        data = encode_text(json_text(plain) or "")
        check_size(where, len(data), self.limits.prompt_bytes, "promptBytes")
        return data


def llm_fields(system: object, model: object, max_tokens: object, limits: Limits) -> tuple[dict, Sequence[bytes]]:
    """The options of flat calls: header fields and the part they share."""
    if system is None and model is None and max_tokens is None:
        return PLAIN, ()
    fields: dict = {"kind": "llm"}
    shared: Sequence[bytes] = ()
    if system is not None:
        if not isinstance(system, str):
            raise TypeError(f"system must be a str, not {type(system).__name__}")
        fields["system"] = True
        shared = (encode_text(str.__str__(system)),)
        check_size("the system prompt", len(shared[0]), limits.prompt_bytes, "promptBytes")
    if model is not None:
        fields["model"] = _model(model)
    if max_tokens is not None:
        if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or not 0 < max_tokens < 2**31:
            raise ValueError(f"max_tokens must be a whole number above 0, not {max_tokens!r}")
        fields["max_tokens"] = int.__int__(max_tokens)
    return fields, shared


def rlm_fields(model: object) -> dict:
    """The options of child completions."""
    return {"kind": "rlm"} if model is None else {"kind": "rlm", "model": _model(model)}


def _model(model: object) -> str:
    if not isinstance(model, str) or not 0 < len(model) <= 500:
        raise TypeError("model must be the name of a model")
    return str.__str__(model)  # of a `class Model(str, Enum)`, `str` would be the name of the member


def make_queries(
    calls: Calls, queries: Queries, before: Callable[[], None], awaited: Callable[[Sequence[Call]], Awaitable[None]]
) -> dict[str, Callable]:
    """The functions bound for cells. `before` runs before each call; `awaited` waits for calls in an event loop."""

    def one(call: Call) -> Call:
        before()
        calls.start((call,))
        return call

    def start_llm(prompt: object, *, images=None, system=None, model=None, max_tokens=None) -> Call:
        fields, shared = llm_fields(system, model, max_tokens, queries.limits)
        pictures = None if images is None else pictures_of([images], 1)[0]
        return queries.llm(prompt, fields, shared, "the prompt", None, pictures)

    def start_llm_batch(prompts: Iterable, *, images=None, system=None, model=None, max_tokens=None) -> list[Call]:
        fields, shared = llm_fields(system, model, max_tokens, queries.limits)
        items = queries.batch(prompts, "prompts")
        ident, count = queries.batch_id(), len(items)
        pictures = pictures_of(images, count)
        return [
            queries.llm(item, fields, shared, f"prompt {index} of {count}", (ident, index, count), pictures[index])
            for index, item in enumerate(items)
        ]

    def start_rlm(query: str, context: object = None, *, seed=None, output=None, model=None) -> Call:
        return queries.rlm(query, context, output, rlm_fields(model), seed=seed)

    def start_rlm_batch(items: Iterable, *, seed=None, output=None, model=None) -> list[Call]:
        fields = rlm_fields(model)
        items = queries.batch(items, "queries")
        ident, count = queries.batch_id(), len(items)
        made = []
        encoded: "dict[int, tuple[object, str, bytes]]" = {}
        for index, item in enumerate(items):
            query, context, own_output, own_seed = rlm_item(item, index)
            schema = output if own_output is None else own_output
            values = seed if own_seed is None else own_seed
            made.append(queries.rlm(query, context, schema, fields, (ident, index, count), encoded, values))
        return made

    def llm_query(prompt, *, images=None, system=None, model=None, max_tokens=None) -> Reply:
        """Asks a language model. Returns its reply, a str with .ok, .usage, .truncated; a failure raises LLMError.

        `images`: up to 16 PNG or JPEG images: bytes, documents of the context, paths, PIL or matplotlib figures.
        """
        return calls.wait(one(start_llm(prompt, images=images, system=system, model=model, max_tokens=max_tokens)))

    def llm_query_batched(prompts, *, images=None, system=None, model=None, max_tokens=None) -> list[Reply]:
        """Asks about many prompts at once. Same length and order; a failed item is a Reply with ok == False.

        `images`: a list of images for every prompt, or a list of such lists, one for each prompt.
        """
        batch = start_llm_batch(prompts, images=images, system=system, model=model, max_tokens=max_tokens)
        before()
        calls.start(batch)
        return calls.wait_all(batch)

    def rlm_query(query, context=None, *, seed=None, output=None, model=None) -> Reply:
        """Starts a child completion with its own REPL on a query and a context. Raises LLMError when it fails.

        `seed`: a dict of values that the child finds in its `seed`: text, JSON, or values of the context as they are.
        """
        return calls.wait(one(start_rlm(query, context, seed=seed, output=output, model=model)))

    def rlm_query_batched(queries, *, seed=None, output=None, model=None) -> list[Reply]:
        """Child completions of queries, pairs (query, context) or dicts {query, context, seed, output}. Same order."""
        batch = start_rlm_batch(queries, seed=seed, output=output, model=model)
        before()
        calls.start(batch)
        return calls.wait_all(batch)

    async def allm_query(prompt, *, images=None, system=None, model=None, max_tokens=None) -> Reply:
        """llm_query for asyncio.gather."""
        call = start_llm(prompt, images=images, system=system, model=model, max_tokens=max_tokens)
        before()
        await awaited((call,))
        return calls.finish(call)

    async def allm_query_batched(prompts, *, images=None, system=None, model=None, max_tokens=None) -> list[Reply]:
        """llm_query_batched for asyncio.gather."""
        batch = start_llm_batch(prompts, images=images, system=system, model=model, max_tokens=max_tokens)
        before()
        await awaited(batch)
        return calls.wait_all(batch)

    async def arlm_query(query, context=None, *, seed=None, output=None, model=None) -> Reply:
        """rlm_query for asyncio.gather."""
        call = start_rlm(query, context, seed=seed, output=output, model=model)
        before()
        await awaited((call,))
        return calls.finish(call)

    async def arlm_query_batched(queries, *, seed=None, output=None, model=None) -> list[Reply]:
        """rlm_query_batched for asyncio.gather."""
        batch = start_rlm_batch(queries, seed=seed, output=output, model=model)
        before()
        await awaited(batch)
        return calls.wait_all(batch)

    bound = (llm_query, llm_query_batched, rlm_query, rlm_query_batched)
    coroutines = (allm_query, allm_query_batched, arlm_query, arlm_query_batched)
    # How an executor without threads sends a call off without waiting for it.
    llm_query.__fathom_start__ = lambda *args, **options: one(start_llm(*args, **options))
    rlm_query.__fathom_start__ = lambda *args, **options: one(start_rlm(*args, **options))
    for function in bound + coroutines:
        function.__module__ = "builtins"
        function.__qualname__ = function.__name__
    return {function.__name__: function for function in bound + coroutines}


def rlm_item(item: object, index: int) -> tuple[object, object, object, object]:
    """Query, context, output schema and seed values of an item of `rlm_query_batched`."""
    if isinstance(item, str):
        return item, None, None, None
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return item[0], item[1], None, None
    if isinstance(item, dict) and "query" in item:
        unknown = [key for key in item if key not in ("query", "context", "output", "seed")]
        if not unknown:
            return item["query"], item.get("context"), item.get("output"), item.get("seed")
    raise TypeError(f"item {index} must be a query, a (query, context) pair or a dict {{query, context, seed, output}}")
