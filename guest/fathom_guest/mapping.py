"""`llm_map`: one instruction for many items, by numbered batches, with votes."""

from .own import own_builtins as __builtins__

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from zlib import crc32

from .item_forms import TextForm, form_of, prompt_for, read_lines
from .item_texts import ItemTexts
from .labelled import Labelled, lead
from .limits import Limits
from .queried import Queried

#: Items of one prompt, and their characters. Labels come out wrong more often in longer lists.
PER_CALL, CALL_CHARS = 40, 24_000
#: Prompts that are under way together: more would only fill memory.
_WAVE = 128
#: Times that items without a valid line are asked about again, per pass.
_RETRIES = 2
#: Items whose text decides the order of the votes.
_SEEDING = 1000
#: Characters of a token, about; and tokens of an answer line.
_TOKEN_CHARS, _LINE_TOKENS = 4, 8


#: Items of one prompt: index and text of each.
Chunk = list[tuple[int, str]]


class ItemMap:
    """One `llm_map`, from its arguments to its result."""

    def __init__(self, items: Sequence, instruction: str, form: TextForm, per_call: int) -> None:
        self._items = items
        self._texts = ItemTexts(items)
        self._instruction = instruction
        self._form = form
        self._per_call = per_call
        self._votes: "list[dict[str, int]]" = [{} for _ in range(len(items))]
        self._reasons: "dict[int, str]" = {}
        self.result = Labelled(self._votes, form, self._reasons)

    def run(self, ask: Callable, votes: int, batch_items: int) -> Labelled:
        """Asks about all items `votes` times, then about those that still differ, until one answer leads by two."""
        everything = range(len(self._items))
        for number in range(votes):
            self._pass(everything, number, ask, batch_items)
        number = votes
        while votes > 1 and number < 2 * votes + 3 and self.result.stopped is None:
            differing = [index for index in everything if len(self._votes[index]) > 1 and lead(self._votes[index]) < 2]
            if not differing:
                break
            self._pass(differing, number, ask, batch_items)
            number += 1
        return self.result

    def plan(self, votes: int, prices: "tuple[float, float] | None") -> dict:
        """The calls, tokens and US dollars of `run` without disagreements and repetitions.

        `prices`: US dollars per million tokens of input and output, where they are known.
        """
        chars = calls = 0
        for chunk in self._chunks(range(len(self._items))):
            calls += 1
            chars += len(self._prompt(chunk))
        given, answered = chars // _TOKEN_CHARS * votes, len(self._items) * _LINE_TOKENS * votes
        cost = None if prices is None else (given * prices[0] + answered * prices[1]) / 1_000_000
        return {
            "items": len(self._items),
            "calls": calls * votes,
            "input_tokens": given,
            "output_tokens": answered,
            "cost_usd": cost,
        }

    def _pass(self, indices: Sequence, number: int, ask: Callable, batch_items: int) -> None:
        if self.result.stopped is not None or not len(indices):
            return
        self.result.passes += 1
        left: Sequence = indices
        if number:
            left = self._texts.shuffled(indices, Random(f"{self._seed()}:{number}"))
        for _ in range(1 + _RETRIES):
            left = self._ask(left, ask, batch_items)
            if not left or self.result.stopped is not None:
                return

    def _seed(self) -> int:
        """The same for the same items: a replay sends the same prompts."""
        seed = crc32(self._instruction.encode("utf-8", "replace"))
        for index in range(min(len(self._items), _SEEDING)):
            seed = crc32(self._texts[index].encode("utf-8", "replace"), seed)
        return seed

    def _ask(self, order: Sequence, ask: Callable, batch_items: int) -> "list[int]":
        """Asks once about each of these items, until a limit ends it. Returns those without an answer, in order."""
        missing: "list[int]" = []
        for wave in _waves(self._chunks(order), min(_WAVE, batch_items)):
            replies = ask([self._prompt(chunk) for chunk in wave])
            self.result.calls += len(replies)
            for chunk, reply in zip(wave, replies):
                missing.extend(self._take(chunk, reply))
            if self.result.stopped is not None:
                break
        return missing

    def _take(self, chunk: Chunk, reply) -> "Iterator[int]":
        """Counts the votes of one reply. Yields the items that it says nothing valid about."""
        if not reply.ok:
            error = reply.error or {}
            reason = str(error.get("message") or error.get("code") or "the call failed")
            if error.get("code") in ("budget", "cancelled"):
                self.result.stopped = reason
            for index, _ in chunk:
                self._reasons[index] = reason
                yield index
            return
        answers = read_lines(str.__str__(reply), len(chunk), self._form)
        for position, (index, _) in enumerate(chunk, 1):
            key = answers.get(position)
            if key is None:
                yield index
            else:
                votes = self._votes[index]
                votes[key] = votes.get(key, 0) + 1

    def _prompt(self, chunk: Chunk) -> str:
        return prompt_for(self._instruction, [text for _, text in chunk], self._form)

    def _chunks(self, order: Sequence) -> "Iterator[Chunk]":
        """Items of one prompt each, bounded by count and characters."""
        chunk: Chunk = []
        chars = 0
        for index in order:
            text = self._texts[index]
            if chunk and (len(chunk) == self._per_call or chars + len(text) > CALL_CHARS):
                yield chunk
                chunk, chars = [], 0
            chunk.append((index, text))
            chars += len(text)
        if chunk:
            yield chunk


def _waves(chunks: "Iterator[Chunk]", size: int) -> "Iterator[list[Chunk]]":
    wave: "list[Chunk]" = []
    for chunk in chunks:
        wave.append(chunk)
        if len(wave) == size:
            yield wave
            wave = []
    if wave:
        yield wave


def items_of(items: object) -> Sequence:
    """Items that can be read by index. A text is refused: each of its letters would be an item."""
    if isinstance(items, (str, bytes, Mapping)) or (isinstance(items, Queried) and not items.holds_items):
        raise TypeError(f"items must be a list, not {type(items).__name__}: split a text into lines or chunks first")
    if hasattr(items, "__len__") and hasattr(items, "__getitem__"):
        return items
    if not isinstance(items, Iterable):
        raise TypeError(f"items must be a list, not {type(items).__name__}")
    return list(items)


def make_map(
    ask: Callable, limits: Limits, prices: "Callable[[], tuple[float, float] | None]"
) -> "dict[str, Callable]":
    """The functions bound for cells. `ask` is `llm_query_batched`; `prices` gives those of the sub-model."""

    def llm_map(items, instruction, *, labels=None, output=None, votes=1, per_call=None, dry_run=False):
        """Asks the same about many items: 40 numbered ones per call, checked, missing ones asked again.

        `labels`: the allowed answers. `output`: a JSON Schema of each answer. Without both, an answer is one line of
        text. `votes`: passes in shuffled order; items whose votes differ are asked about again until one answer leads
        by two, at most `2 * votes + 3` times. Returns a Labelled: `.values`, `.counts()`, `.failed`, `.disagreements`,
        and `[i].value`, `.votes`. When a limit ends the calls, the rest are failures; nothing raises.
        `dry_run=True` returns the expected calls, tokens and US dollars (None without a price) and asks nothing.
        """
        if not isinstance(instruction, str) or not instruction.strip():
            raise TypeError("instruction must be a text that says what to answer for each item")
        votes, per_call = whole("votes", votes), whole("per_call", PER_CALL if per_call is None else per_call)
        work = ItemMap(items_of(items), str.__str__(instruction), form_of(labels, output), per_call)
        if dry_run:
            return work.plan(votes, prices())
        result = work.run(ask, votes, limits.max_batch_items)
        print(f"llm_map: {result.summary()}")
        return result

    def llm_filter(items, condition, *, votes=1, per_call=None):
        """The items for which a condition in words holds. Items without an answer are left out; a line counts them."""
        chosen = items_of(items)
        instruction = f"Does this hold for the item? {condition}"
        result = llm_map(chosen, instruction, labels=("yes", "no"), votes=votes, per_call=per_call)
        return [item for item, value in zip(chosen, result.values) if value == "yes"]

    return {"llm_map": llm_map, "llm_filter": llm_filter}


def whole(name: str, value: object) -> int:
    """A whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1000:
        raise ValueError(f"{name} must be a whole number from 1 to 1000, not {value!r}")
    return int.__int__(value)
