"""A whole guest over a socket pair: waiting threads, windows, output, what outlives a cell."""

import sys
import threading
import unittest

from .fake_host import LIMITS, FakeHost


class Guests(unittest.TestCase):
    def setUp(self) -> None:
        self.host = FakeHost(threads=True)
        self.addCleanup(self.host.close)

    def value(self, code: str) -> str:
        result = self.host.run(code)
        self.assertNotIn("error", result.header, result.parts)
        return result.parts[0].decode()

    def test_replies_out_of_order_find_their_items(self) -> None:
        self.assertEqual(
            self.value("llm_query_batched([str(i) for i in range(50)]) == [f'echo: {i}' for i in range(50)]"), "True"
        )

    def test_a_batch_keeps_to_the_window_and_shares_frames(self) -> None:
        result = self.host.run("r = llm_query_batched(['x'] * 64)")
        counts = [entry.get("count", 1) for request in result.requests for entry in request["calls"]]
        self.assertEqual(sum(counts), 64)
        self.assertLessEqual(max(counts), LIMITS["callWindow"])

    def test_the_panel_marks_what_cells_make_whatever_its_name_and_never_what_is_bound(self) -> None:
        self.host.command({"op": "bind", "values": [{"name": "context", "kind": "text"}]}, b"bound")
        self.host.command({"op": "bind", "values": [{"name": "context_0", "kind": "alias", "of": "context"}]})
        result = self.host.run("context_5 = [1]")
        changed = {row["name"]: row.get("changed", False) for row in result.header["variables"]}
        self.assertEqual(changed, {"context": False, "context_0": False, "context_5": True})

    def test_many_threads_each_get_their_own_reply(self) -> None:
        code = (
            "import threading\ngot = {}\n"
            "def work(i):\n    for k in range(20): got[i, k] = llm_query(f'{i}.{k}')\n"
            "ts = [threading.Thread(target=work, args=(i,)) for i in range(12)]\n"
            "[t.start() for t in ts]; [t.join() for t in ts]\n"
            "all(v == f'echo: {i}.{k}' for (i, k), v in got.items()), len(got)"
        )
        self.assertEqual(self.value(code), "(True, 240)")

    def test_threads_and_coroutines_wait_side_by_side(self) -> None:
        code = (
            "import threading, asyncio\nout = []\n"
            "def work():\n    for i in range(30): out.append(llm_query('t'))\n"
            "ts = [threading.Thread(target=work) for _ in range(4)]\n[t.start() for t in ts]\n"
            "r = await asyncio.gather(*[allm_query(str(i)) for i in range(100)])\n[t.join() for t in ts]\n"
            "len(out), len(r), r[99]"
        )
        self.assertEqual(self.value(code), "(120, 100, 'echo: 99')")

    def test_a_thread_left_behind_does_not_take_the_next_command(self) -> None:
        start = (
            "import threading\nlog = []\ngo = threading.Event()\n"
            "def late():\n    go.wait(5)\n    try: llm_query('x')\n    except LLMError as e: log.append(e.code)\n"
            "t = threading.Thread(target=late); t.start()"
        )
        self.host.run(start)
        self.assertEqual(self.value("x = 1\nx"), "1")
        result = self.host.run("go.set(); t.join(5)\nlog")
        self.assertEqual((result.parts[0], result.requests), (b"['cancelled']", []))

    def test_output_is_bounded_in_the_guest(self) -> None:
        result = self.host.run("for i in range(100_000): print(i)")
        whole = "".join(f"{i}\n" for i in range(100_000)).encode()
        kept = result.output["stdout"]
        half = LIMITS["outputBytes"] // 2
        self.assertEqual(len(kept) + result.dropped["stdout"], len(whole))
        self.assertEqual((kept[:half], kept[half:]), (whole[:half], whole[len(whole) - (len(kept) - half) :]))
        self.assertLessEqual(len(kept), LIMITS["outputBytes"])

    def test_a_single_huge_write_is_bounded_too(self) -> None:
        result = self.host.run("print('é' * 5_000_000, end='')")
        self.assertLessEqual(len(result.output["stdout"]), LIMITS["outputBytes"])
        kept = result.output["stdout"].decode(errors="ignore")
        self.assertIn(len(kept) + result.dropped["stdout"], (4_999_999, 5_000_000))

    def test_ids_go_on_from_what_the_host_says(self) -> None:
        self.host.run("llm_query('a')")
        self.host._last_id = 1000
        self.host.run("llm_query('b')")
        self.assertEqual(self.host._last_id, 1001)

    def test_large_values_go_out_in_pieces(self) -> None:
        from fathom_guest import channel, frames

        saved = channel.FRAME_BODY
        channel.FRAME_BODY = frames.FRAME_BODY = 1000
        try:
            result = self.host.command({"op": "set", "name": "big"}, b'"' + b"y" * 5000 + b'"')
            self.assertEqual(result.header, {})
            got = self.host.command({"op": "get", "name": "big"})
            self.assertIn("blob", got.header["parts"][0])
        finally:
            channel.FRAME_BODY = frames.FRAME_BODY = saved

    def test_a_fork_of_a_cell_ends_without_touching_the_channel(self) -> None:
        if not hasattr(sys, "getdlopenflags"):
            self.skipTest("no fork here")
        code = (
            "import os\npid = os.fork()\nif pid == 0:\n    try: llm_query('child')\n    except LLMError: os._exit(7)\n"
            "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
        )
        self.assertEqual(self.value(code), "7")

    def test_unknown_commands_and_broken_values_are_error_results(self) -> None:
        self.assertEqual(self.host.command({"op": "nonsense"}).header["error"]["code"], "repl-failure")
        broken = {"op": "bind", "values": [{"name": "context", "kind": "json"}]}
        self.assertEqual(self.host.command(broken, b"{").header["error"]["code"], "context-invalid")


class WithoutThreads(unittest.TestCase):
    def test_stand_ins_and_callbacks_that_call_again(self) -> None:
        import concurrent.futures as futures

        saved = futures.ThreadPoolExecutor, futures.wait, futures.as_completed, threading.Thread.start
        inner = futures.thread.ThreadPoolExecutor, futures._base.wait, futures._base.as_completed
        host = FakeHost(threads=True)
        try:
            from fathom_guest import executor

            executor.install(host.guest.channel, host.guest.calls)
            code = (
                "import concurrent.futures as cf, functools\nseen = []\n"
                "pool = cf.ThreadPoolExecutor(3)\n"
                "f = pool.submit(llm_query, 'a')\n"
                "f.add_done_callback(lambda f: seen.append(llm_query('nested ' + f.result())))\n"
                "g = pool.submit(functools.partial(llm_query, max_tokens=5), 'b')\n"
                "cf.wait([f, g])\n"
                "f.result(), g.result(), seen, [r for r in pool.map(llm_query, 'xy')], "
                "pool.submit(divmod, 7, 2).result()"
            )
            result = host.run(code)
            self.assertNotIn("error", result.header, result.parts)
            self.assertEqual(
                result.parts[0].decode(),
                "('echo: a', 'echo: b', ['echo: nested echo: a'], ['echo: x', 'echo: y'], (3, 1))",
            )
        finally:
            futures.ThreadPoolExecutor, futures.wait, futures.as_completed, threading.Thread.start = saved
            futures.thread.ThreadPoolExecutor, futures._base.wait, futures._base.as_completed = inner
            host.close()


if __name__ == "__main__":
    unittest.main()
