"""`sql`: tables of the context and of variables, their values, and what a statement cannot do."""

import datetime
import decimal
import importlib.util
import unittest
from unittest import mock

from fathom_guest.documents import Document, Documents, TextDocument
from fathom_guest.errors import SqlError
from fathom_guest.limits import Limits
from fathom_guest.sql import Sql
from fathom_guest.sql_store import SqlStore
from fathom_guest.sql_names import column_names, own_name, sql_name, stem_of

FEES = "name,fee,code\nAnn,12,007\nBob,7.5,010\nCy,,011\n"
RATES = '{"code": "007", "rate": 12345678901234567890}\n{"code": "010", "rate": 2, "more": {"a": [1]}}\n'


def of(context: object = None, variables: "dict | None" = None, **limits: int) -> Sql:
    """An `sql` over a context and variables."""
    given = Limits()
    for name, value in limits.items():
        setattr(given, name, value)
    return Sql(lambda: context, (variables or {}).get, given)


class Names(unittest.TestCase):
    def test_names_of_files_are_names_of_sql(self):
        named = {
            "data/fees-2026.csv": "fees_2026",
            "2026 Q1.xlsx": "t_2026_Q1",
            "order.csv": "t_order",
            "a.b.csv.gz": "a_b",
            ".csv": "csv",
            "---": "table",
            "Größe.tsv": "Größe",
            "東京.csv": "東京",
            "x'); drop table y;--.csv": "x_drop_table_y",
        }
        self.assertEqual({path: stem_of(path) for path in named}, {**named, "---": "t_table"})
        self.assertEqual(sql_name("a" * 100), "a" * 60)

    def test_names_are_unique_in_any_case(self):
        taken: dict = {}
        given = [own_name(name, taken) for name in ["a", "A", "a_2", "a", "b"]]
        self.assertEqual(given, ["a", "A_2", "a_2_2", "a_3", "b"])
        self.assertEqual(column_names(["id", "ID", ""]), ["id", "ID_2", "column"])


class Tables(unittest.TestCase):
    def test_a_file_is_a_table_under_its_name_and_that_of_its_variable(self):
        context = TextDocument(FEES, "in/fees.csv", None)
        sql = of(context, {"context": context})
        self.assertEqual(sql("select name from fees where fee > ?", 8), [{"name": "Ann"}])
        self.assertEqual(sql("select count(*) as n from context where code = '007'"), [{"n": 1}])
        self.assertEqual(sql("select code, fee from FEES where fee is null"), [{"code": "011", "fee": None}])
        listed = {"table": "fees", "columns": ["name", "fee", "code"], "rows": 3, "source": "in/fees.csv"}
        self.assertEqual(sql.tables(), [listed])

    def test_files_are_joined_and_each_is_loaded_at_its_first_use_alone(self):
        fees, rates = Document("fees.csv", FEES), Document("rates.jsonl", RATES)
        sql = of(Documents([fees, rates, Document("notes.txt", "none")]))
        self.assertRaisesRegex(SqlError, "no table fee; did you mean fees", sql, "select * from fee")
        loaded: "list[str]" = []

        def load(store, schema, name, rows):
            loaded.append(name)
            return SqlStore_load(store, schema, name, rows)

        SqlStore_load = SqlStore.load
        with mock.patch.object(SqlStore, "load", load):
            rows = sql("select code, rate, json_extract(more, '$.a[0]') as one from rates")
            self.assertEqual(rows[0], {"code": "007", "rate": "12345678901234567890", "one": None})
            self.assertEqual(rows[1], {"code": "010", "rate": 2, "one": 1})
            self.assertEqual(loaded, ["rates"])
            rows = sql("select f.name, r.rate from fees f join rates r on r.code = f.code order by 1")
            self.assertEqual([row["name"] for row in rows], ["Ann", "Bob"])
            sql("select * from Fees, rates")
            self.assertEqual(loaded, ["rates", "fees"])

    def test_named_contexts_and_equal_names(self):
        context = {"old": TextDocument("a\n1\n", "x/t.csv", None), "new": Documents([Document("y/T.csv", "a\n2\n")])}
        sql = of(context, context)
        self.assertEqual([sql(f"select a from {name}")[0]["a"] for name in ("t", "T_2", "old")], [1, 2, 1])

    def test_variables_win_and_are_read_anew(self):
        context = TextDocument(FEES, "fees.csv", None)
        variables = {"context": context, "rows": [{"a": 1}, {"b": "x"}]}
        sql = of(context, variables)
        self.assertEqual(sql("select * from rows"), [{"a": 1, "b": None}, {"a": None, "b": "x"}])
        variables["rows"].append({"a": 5})
        self.assertEqual(sql("select sum(a) as s from rows"), [{"s": 6}])
        self.assertEqual(len(sql("select * from fees")), 3)
        variables["fees"] = [{"fee": 1}]
        self.assertEqual(sql("select * from fees"), [{"fee": 1}])
        variables["fees"] = "no table"
        self.assertEqual(len(sql("select * from fees")), 3)

    def test_a_context_bound_later_has_its_own_tables(self):
        bound = [TextDocument("a\n1\n", "t.csv", None)]
        sql = Sql(lambda: bound[-1], {}.get, Limits())
        self.assertEqual(sql("select * from t"), [{"a": 1}])
        bound.append(TextDocument("a\n2\n", "t.csv", None))
        self.assertEqual(sql("select * from t"), [{"a": 2}])

    def test_a_data_frame_is_a_table(self):
        class NAType:
            def __eq__(self, other):
                raise TypeError

            __hash__ = None

        class Int64:
            shape = ()

            def __init__(self, value):
                self.value = value

            def item(self):
                return self.value

        class DataFrame:
            columns = ["id", "when", "Unit price"]

            def itertuples(self, index, name):
                assert not index and name is None
                when = datetime.datetime(2026, 1, 31, 12, 30)
                return iter([(Int64(7), when, 1.5), (Int64(2**62), NAType(), float("nan"))])

        sql = of(None, {"frame": DataFrame()})
        self.assertEqual(
            sql('select id, "when", "Unit price" as price from frame where id > 1'),
            [{"id": 7, "when": "2026-01-31T12:30:00", "price": 1.5}, {"id": 2**62, "when": None, "price": None}],
        )

    @unittest.skipUnless(importlib.util.find_spec("pandas"), "this Python has no pandas (in Debian: python3-pandas)")
    def test_a_frame_of_pandas_is_a_table_and_a_result_becomes_one(self):
        pandas = importlib.import_module("pandas")
        frame = pandas.DataFrame(
            {
                "id": [1, 2**62],
                "price": [1.5, None],
                "day": pandas.to_datetime(["2026-01-31 12:30", None]),
                "n": pandas.array([None, 3], dtype="Int64"),
                "kind": pandas.Categorical(["x", "y"]),
            }
        )
        result = of(None, {"frame": frame})("select * from frame order by id")
        first = {"id": 1, "price": 1.5, "day": "2026-01-31T12:30:00", "n": None, "kind": "x"}
        self.assertEqual(result, [first, {"id": 2**62, "price": None, "day": None, "n": 3, "kind": "y"}])
        self.assertEqual(list(result.df.columns), list(frame.columns))
        self.assertEqual(result.df["id"].sum(), 2**62 + 1)

    def test_results_are_lists_of_dicts_with_a_data_frame(self):
        sql = of(None, {"a": [{"id": 1}]})
        result = sql("select x.id, y.id from a x, a y")
        self.assertEqual(repr(result), "[{'id': 1, 'id_2': 1}]")
        self.assertEqual((result, result.columns), ([{"id": 1, "id_2": 1}], ["id", "id_2"]))
        pandas = mock.Mock(DataFrame=lambda rows, columns: (rows, columns))
        with mock.patch.dict("sys.modules", pandas=pandas):
            self.assertEqual(result.df, ([{"id": 1, "id_2": 1}], ["id", "id_2"]))


class Values(unittest.TestCase):
    def check(self, values: list, expected: list, kind: str) -> None:
        sql = of(None, {"t": [{"v": value} for value in values]})
        rows = sql("select v, typeof(v) as kind from t")
        self.assertEqual([(row["v"], row["kind"]) for row in rows], expected)
        self.assertEqual(sql("pragma table_info(t)")[0]["type"], kind)

    def test_integers_keep_their_digits(self):
        self.check(
            [2**63 - 1, -(2**63), None], [(2**63 - 1, "integer"), (-(2**63), "integer"), (None, "null")], "INTEGER"
        )
        self.check([2**63, 1], [(str(2**63), "text"), (1, "integer")], "")
        self.check([2**60 + 1, 0.5], [(2**60 + 1, "integer"), (0.5, "real")], "")

    def test_numbers_divide_as_numbers(self):
        self.check([7, 12.5], [(7.0, "real"), (12.5, "real")], "REAL")
        self.check([True, None], [(1, "integer"), (None, "null")], "INTEGER")

    def test_texts_stay_texts(self):
        self.check(["007", "7"], [("007", "text"), ("7", "text")], "TEXT")
        self.check(["007", 7], [("007", "text"), (7, "integer")], "")
        self.check(["a\ud800"], [("a?", "text")], "TEXT")

    def test_other_values_are_texts(self):
        self.check([datetime.date(2026, 1, 31)], [("2026-01-31", "text")], "TEXT")
        self.check([decimal.Decimal("1.10")], [("1.10", "text")], "TEXT")
        self.check([{"a": [1, None]}], [('{"a": [1, null]}', "text")], "TEXT")
        self.check([b"\0x"], [(b"\0x", "blob")], "")

    def test_values_of_a_statement(self):
        sql = of(None, {"t": [{"a": 1}, {"a": 2}, {"a": 3}]})
        self.assertEqual(sql("select a from t where a in (?, ?)", 1, 3), [{"a": 1}, {"a": 3}])
        self.assertEqual(sql("select a from t where a in (?, ?)", [1, 3]), [{"a": 1}, {"a": 3}])
        self.assertEqual(sql("select a from t where a > :least", least=2), [{"a": 3}])
        self.assertRaisesRegex(SqlError, "bind", sql, "select a from t where a = ?")


class Refusals(unittest.TestCase):
    def test_statements_only_read(self):
        sql = of(TextDocument(FEES, "fees.csv", None))
        self.assertEqual(len(sql("select * from fees")), 3)
        for statement in (
            "insert into fees values (1, 2, 3)",
            "update fees set fee = 0",
            "delete from fees",
            "drop table fees",
            "create table x (a)",
            "create temp view x as select 1",
            "attach 'x.db' as x",
            "vacuum into 'x.db'",
            "pragma journal_mode = off",
            "pragma hard_heap_limit = 0",
            "pragma writable_schema = 1",
            "begin",
            "analyze",
            "select load_extension('x')",
            "select * from sqlite_master",
            "with x as (select 1) insert into fees select 1, 2, 3 from x",
        ):
            with self.subTest(statement):
                self.assertRaisesRegex(SqlError, "sql reads tables and does nothing else", sql, statement)
        self.assertEqual(len(sql("select * from fees")), 3)
        self.assertRaisesRegex(Exception, "one statement at a time", sql, "select 1; delete from fees")

    def test_a_column_that_is_not_there_names_those_that_are(self):
        sql = of(TextDocument(FEES, "fees.csv", None))
        for statement in ("select fe from fees", 'select "fe" from fees', 'select f."fe" from fees f'):
            with self.subTest(statement):
                self.assertRaisesRegex(SqlError, r"fees \(name, fee, code\).*did you mean fee\?", sql, statement)
        self.assertEqual(sql('select fee as "my fee" from fees where name = \'Ann "x"\''), [])
        self.assertRaisesRegex(SqlError, "syntax error.*Tables: fees", sql, "selec 1")

    def test_limits_are_errors_that_name_them(self):
        many = [{"a": number} for number in range(2_000)]
        sql = of(None, {"t": many}, max_sql_rows=100, sql_timeout_ms=200)
        self.assertEqual(len(sql("select * from t limit 100")), 100)
        self.assertRaisesRegex(SqlError, r"more than 100 rows \(maxSqlRows\)", sql, "select * from t")
        endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"
        self.assertRaisesRegex(TimeoutError, r"0.2 s \(sqlTimeoutMs\)", sql, endless)
        self.assertEqual(sql("select count(*) as n from t"), [{"n": 2_000}])

    def test_an_empty_or_a_wide_table_is_an_error(self):
        wide = [{f"c{number}": 1 for number in range(2_001)}]
        sql = of(None, {"none": [], "wide": wide, "texts": ["a"]})
        self.assertRaisesRegex(SqlError, "none has no columns", sql, "select * from none")
        self.assertRaisesRegex(SqlError, "2001 columns, and SQLite takes 2000", sql, "select * from wide")
        self.assertRaisesRegex(SqlError, "no table texts. The context has no tables", sql, "select * from texts")
