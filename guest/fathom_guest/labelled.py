"""The results of `llm_map`: a value, its votes and its failure for each item."""

from .own import own_builtins as __builtins__

from collections import Counter
from collections.abc import Iterator, Sequence

from .item_forms import TextForm


class LabelledItem:
    """One item's result: `.value` (None for a failure), `.votes`, `.ok`, `.disagreement`, `.error`."""

    __slots__ = ("value", "votes", "error")

    def __init__(self, value: object, votes: "dict[str, int]", error: "str | None") -> None:
        self.value = value
        #: Votes by answer; for JSON values by their JSON text.
        self.votes = votes
        #: None, or why there is no value.
        self.error = error

    @property
    def ok(self) -> bool:
        """It has a value."""
        return self.error is None

    @property
    def disagreement(self) -> bool:
        """Its votes differ."""
        return len(self.votes) > 1

    def __repr__(self) -> str:
        return f"<failed: {self.error}>" if self.error else f"<{self.value!r}, votes {self.votes}>"


class Labelled(Sequence):
    """Results in the order of the items. `.values`, `.counts()`, `.failed` and `.disagreements` look at all of them."""

    def __init__(self, votes: "list[dict[str, int]]", form: TextForm, reasons: "dict[int, str]") -> None:
        self._votes = votes
        self._form = form
        self._reasons = reasons
        #: Calls that were made, and times that every item was asked about.
        self.calls = 0
        self.passes = 0
        #: Why the calls ended before every item had been asked about; else None.
        self.stopped: "str | None" = None

    def __len__(self) -> int:
        return len(self._votes)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self._votes))[index]
        votes = self._votes[position]
        if not votes:
            reason = self._reasons.get(position) or self.stopped or "the replies had no valid line for it"
            return LabelledItem(None, {}, reason)
        return LabelledItem(self._form.value(winner(votes)), dict(votes), None)

    def __iter__(self) -> Iterator[LabelledItem]:
        return (self[index] for index in range(len(self)))

    @property
    def values(self) -> list:
        """The values in order; None for a failure."""
        value = self._form.value
        return [value(winner(votes)) if votes else None for votes in self._votes]

    def counts(self) -> "Counter[str]":
        """How many items have each value; for JSON values by their JSON text. Failures are not counted."""
        return Counter(winner(votes) for votes in self._votes if votes)

    @property
    def failed(self) -> "list[int]":
        """Indices of the items without a value."""
        return [index for index, votes in enumerate(self._votes) if not votes]

    @property
    def disagreements(self) -> "list[int]":
        """Indices of the items whose votes differ: read these, and the rare values."""
        return [index for index, votes in enumerate(self._votes) if len(votes) > 1]

    def summary(self) -> str:
        """One line about all of it."""
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        failed = len(self.failed)
        reason = next((self[index].error for index in self.failed), None) if failed else None
        because = "" if reason is None else f" ({reason})"
        differ = len(self.disagreements)
        return f"{len(self)} items, {passes}, {calls}, {differ} with differing votes, {failed} without a value{because}"

    def __repr__(self) -> str:
        return f"<Labelled: {self.summary()}>"


def winner(votes: "dict[str, int]") -> str:
    """The answer with most votes; of equal ones the first that was given."""
    return max(votes, key=votes.__getitem__)


def lead(votes: "dict[str, int]") -> int:
    """How many votes the first is ahead of the second."""
    counts = sorted(votes.values(), reverse=True)
    return counts[0] - (counts[1] if len(counts) > 1 else 0) if counts else 0


for _class in (Labelled, LabelledItem):
    _class.__module__ = "builtins"
