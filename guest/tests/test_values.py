"""JSON, names, previews, documents: the parts that need no host."""

import unittest
from collections import Counter, OrderedDict, namedtuple
from enum import IntEnum

from fathom_guest.cell import ends_with_semicolon, show_value
from fathom_guest.documents import Document, Documents
from fathom_guest.json_values import is_json, json_text, parse_json, text_of
from fathom_guest.limits import Limits
from fathom_guest.output import count_characters
from fathom_guest.panel import preview, size_of, type_name
from fathom_guest.queries import Queries
from fathom_guest.reply import Reply, make_reply
from fathom_guest.tracebacks import bounded, describe


class Contexts(unittest.TestCase):
    def test_one_that_items_of_a_batch_share_is_written_once(self) -> None:
        queries = Queries(None, Limits())  # only batches ask for numbers
        shared, equal = {"rows": [1, 2]}, {"rows": [1, 2]}
        encoded: dict = {}
        calls = [
            queries.rlm("q", context, None, {"kind": "rlm"}, None, encoded)
            for context in (shared, shared, equal, "text")
        ]
        self.assertIs(calls[0].own[1], calls[1].own[1])
        self.assertIsNot(calls[0].own[1], calls[2].own[1])
        self.assertEqual([call.fields["context"] for call in calls], ["json", "json", "json", "text"])
        self.assertEqual([bytes(call.own[1]) for call in calls[1:]], [b'{"rows": [1, 2]}'] * 2 + [b"text"])


class Json(unittest.TestCase):
    def test_values_that_are_json(self) -> None:
        point = namedtuple("point", "x y")
        level = IntEnum("level", "LOW HIGH")
        shared = [1]
        for value, text in [
            ((1, "a"), '[1, "a"]'),
            ({"é": None}, '{"é": null}'),
            (point(1, 2.5), "[1, 2.5]"),
            (level.HIGH, "2"),
            (OrderedDict(a=True), '{"a": true}'),
            (Counter("aa"), '{"a": 2}'),
            (Reply("r"), '"r"'),
            ([shared, shared], "[[1], [1]]"),
            (10**30, "1" + "0" * 30),
        ]:
            self.assertEqual(json_text(value), text)

    def test_values_that_are_not(self) -> None:
        loop: list = []
        loop.append({"x": loop})
        for value in (
            {1},
            {1: 2},
            {None: 1},
            float("nan"),
            float("-inf"),
            b"x",
            object(),
            [object()],
            loop,
            {"a": 1j},
            range(3),
        ):
            self.assertFalse(is_json(value))
            self.assertIsNone(json_text(value))

    def test_deep_values_are_judged_without_recursion(self) -> None:
        deep: list = []
        for _ in range(50_000):
            deep = [deep]
        self.assertFalse(is_json(deep))
        while deep:
            deep = deep.pop()

    def test_text_of_values(self) -> None:
        self.assertEqual([text_of(value) for value in ("s", True, None, [1], {1})], ["s", "true", "null", "[1]", "{1}"])

    def test_json_texts_are_parsed_exactly(self) -> None:
        self.assertEqual(parse_json(' {"a": [1, 2.0]}\n'), {"a": [1, 2.0]})
        self.assertEqual(parse_json("123456789012345678901234567890"), 123456789012345678901234567890)
        for broken in ("", "  ", "{", "[1,]", "1 2", "nul", "{'a': 1}"):
            with self.assertRaises(ValueError):
                parse_json(broken)


class Previews(unittest.TestCase):
    def test_never_call_code_of_foreign_classes(self) -> None:
        class Trap:
            def __getattribute__(self, name):
                raise AssertionError(name)

            __repr__ = __len__ = __hash__ = None

        class TrapList(list):
            def __len__(self):
                raise AssertionError

        self.assertEqual((type_name(Trap()), size_of(Trap()), preview(Trap())), ("Trap", None, None))
        self.assertEqual((size_of(TrapList([1])), preview(TrapList([1]))), (1, None))
        self.assertEqual(preview([Trap(), (Trap(),)]), "[<Trap>, (<Trap>,)]")

    def test_are_short(self) -> None:
        self.assertLessEqual(len(preview("x" * 10**6) or ""), 100)
        self.assertLess(len(preview(list(range(10**6))) or ""), 150)
        self.assertEqual(preview(10**1000), "<int of 3322 bits>")

    def test_look_like_the_values(self) -> None:
        for value in ([1, "a"], (1,), {"k": [2]}, {3}, 1.5, None, True, range(3), b"x", ()):
            self.assertEqual(preview(value), repr(value))


class Small(unittest.TestCase):
    def test_semicolons(self) -> None:
        import ast

        def hidden(code: str) -> bool:
            return ends_with_semicolon(code, ast.parse(code).body[-1])

        self.assertTrue(all(map(hidden, ["x;", "x ; ", "(x) ;# c", "'é';", "f(\n1\n);", "x = 1; x;"])))
        self.assertFalse(any(map(hidden, ["x", "x # ;", "';'", "x = 1; x", "f(';')"])))

    def test_bounded_texts(self) -> None:
        self.assertEqual(bounded("x" * 10, 10), "x" * 10)
        self.assertIn("[90 characters left out]", bounded("x" * 100, 10))
        self.assertLess(len(show_value(b"x" * 10**7)), 10**6)

    def test_characters_are_counted_in_utf8(self) -> None:
        for text in ("", "abc", "é😀x", "\u2028"):
            self.assertEqual(count_characters(text.encode()), len(text))

    def test_errors_are_described_whatever_they_do(self) -> None:
        class Bad(Exception):
            def __str__(self):
                raise SystemExit

        name, message, text = describe(Bad())
        self.assertEqual(name, "Bad")
        self.assertTrue(message and text)

    def test_documents_by_index_and_path(self) -> None:
        documents = Documents([Document("a/b.txt", "text")])
        self.assertEqual((documents[0].text, documents["a/b.txt"].name, len(documents[0])), ("text", "b.txt", 4))
        self.assertTrue("a/b.txt" in documents and "c" not in documents and documents.get("c") is None)
        with self.assertRaises(KeyError):
            documents["c"]

    def test_replies_are_strings_with_facts(self) -> None:
        entry = {"id": 1, "ok": True, "parts": 1, "usage": [1, 2, 0.5]}
        reply = make_reply(entry, [memoryview(b"text")])
        self.assertEqual((reply, reply.ok, reply.usage["cost_usd"], reply.error), ("text", True, 0.5, None))
        failed = make_reply({"id": 1, "ok": False, "error": {"code": "timeout", "message": "m"}}, [])
        self.assertEqual((failed, failed.ok, failed.error["code"]), ("", False, "timeout"))
        typed = make_reply({**entry, "parts": 2}, [memoryview(b"t"), memoryview(b'{"a":1}')])
        self.assertEqual(typed.value, {"a": 1})


if __name__ == "__main__":
    unittest.main()
