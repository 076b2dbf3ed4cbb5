import { describe, expect, test } from 'vitest';
import type { Repl } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

/** Changes that a cell makes to the runtime or the standard library; everything must work in the next cell. */
const SABOTAGE: Readonly<Record<string, string>> = {
  'keyword defaults of a helper': 'llm_query.__kwdefaults__ = {}',
  'a keyword default of a helper, in place': 'llm_query.__kwdefaults__["model"] = 5\nFINAL_VAR.__defaults__ = (1, 2)',
  'defaults of a helper': 'rlm_query.__defaults__ = None\nllm_query_batched.__kwdefaults__ = None',
  'code of a helper':
    'def f(x): pass\nfor h in (SHOW_VARS, FINAL, FINAL_VAR): h.__code__ = f.__code__ if not h.__closure__ else h.__code__',
  'attributes of a helper': 'llm_query.__wrapped__ = 1\nllm_query.__dict__.clear()\nllm_query.__name__ = "x"',
  'the closure of a helper':
    'for h in (llm_query, FINAL, SHOW_VARS, allm_query):\n    for c in h.__closure__: c.cell_contents = None',
  'globals of helpers':
    'for h in (llm_query, FINAL, SHOW_VARS):\n    for n in list(h.__globals__): h.__globals__[n] = None',
  'deleted globals of helpers':
    'g = llm_query.__globals__\nfor n in ["Reply", "plain", "islice", "Call"]: del g[n]\nFINAL_VAR.__globals__.clear()',
  'builtins of helpers':
    'b = llm_query.__builtins__\nfor n in ("len", "isinstance", "list", "str", "ValueError"): b[n] = None',
  'all modules of the runtime': [
    'import sys',
    'for m in [m for n, m in sys.modules.items() if n.startswith("fathom_guest")]:',
    '    for n in [n for n in vars(m) if callable(vars(m)[n])]: setattr(m, n, None)',
  ].join('\n'),
  'the classes of what is bound': [
    'r = llm_query("x")',
    'for c in (type(history), type(r), LLMError, BudgetExceeded, type(history).__mro__[1]):',
    '    for n in list(vars(c)):',
    '        try: setattr(c, n, None)',
    '        except (AttributeError, TypeError): pass',
    'def broken(*a): raise ValueError("broken")',
    'type(history).__getattribute__ = type(r).__repr__ = LLMError.__init__ = broken',
  ].join('\n'),
  'history and tools': 'history._channel = None\nfor n in ("_channel", "_before", "__name__"): setattr(look, n, None)',
  'sys.stdout.write': 'import sys\nsys.stdout.write = sys.stderr.write = lambda s: len(s)',
  'other attributes of sys.stdout':
    'import sys\nsys.stdout.flush = sys.stdout.buffer = None if False else (lambda: 1/0)',
  'attributes of sys.stdout.buffer': [
    'import sys',
    'for s in (sys.stdout, sys.stderr):',
    '    b = s.buffer',
    '    b.write = b.writable = b.flush = lambda *a: 0',
    '    type(b).write = lambda *a: 0',
  ].join('\n'),
  'what sys.stdout is configured as':
    'import sys\nsys.stdout.reconfigure(encoding="ascii", errors="strict", newline="\\r\\n", line_buffering=False)\nsys.stdout._CHUNK_SIZE = 10**9',
  'the error handler of the streams':
    'import codecs\nfor n in ("strict", "replace", "fathom-replace"): codecs.register_error(n, lambda e: 1/0)',
  'print and other builtins':
    'import builtins\nfor n in ("print", "repr", "str", "len", "open", "__import__", "__build_class__"): setattr(builtins, n, lambda *a, **k: None)',
  'deleted builtins': 'import builtins\nfor n in ("print", "repr", "ValueError", "__import__"): delattr(builtins, n)',
  'hooks of sys':
    'import sys\nsys.displayhook = sys.excepthook = sys.unraisablehook = sys.breakpointhook = lambda *a: 1/0\nsys.stdin = None\ndel sys.__stdout__',
  'hooks of threading':
    'import threading\nthreading.excepthook = None\nthreading.Thread.start = threading.current_thread = threading.get_ident = None',
  json: 'import json\njson.dumps = json.loads = json.encoder.c_make_encoder = json.scanner.c_make_scanner = None\njson.JSONEncoder.encode = json.JSONDecoder.decode = lambda *a: 1/0',
  io: 'import io\nio.TextIOWrapper = io.BytesIO = io.StringIO = io.BufferedIOBase = io.UnsupportedOperation = None',
  're and collections': 'import re, collections\nre.compile = re.Pattern = collections.deque = None',
  'abstract base classes':
    'import collections.abc as c\nfor n in ("Mapping", "Sequence"):\n    getattr(c, n).__subclasshook__ = classmethod(lambda k, s: False)\n    setattr(c, n, None)',
  'the modules themselves':
    'import sys\nfor n in ("json", "io", "re", "codecs", "traceback", "linecache", "os", "contextvars"): sys.modules[n] = None',
};

/** Also breaks `await`, which runs on the public `asyncio`. */
const ASYNCIO: Readonly<Record<string, string>> = {
  'the functions of asyncio':
    'import asyncio\nfor n in ("run", "gather", "create_task", "get_running_loop", "Task", "Future"): setattr(asyncio, n, None)',
  'the loops of asyncio':
    'import asyncio\nfor m in (asyncio.events, asyncio.base_events, asyncio.selector_events, asyncio.tasks):\n    for n in [n for n in vars(m) if callable(vars(m)[n])]: setattr(m, n, None)',
  'the running loop': 'import asyncio\nl = asyncio.get_event_loop()\nl.close()\nasyncio.events._set_running_loop(l)',
  'the policy':
    'import asyncio, warnings\nwarnings.simplefilter("ignore")\nasyncio.set_event_loop_policy(None)\nasyncio.set_event_loop(None)',
};

/** Standard modules whose callables are set to None, one module per REPL. The full form takes minutes. */
const SWEPT = ['io', 'codecs', 'json.encoder', 'contextvars', '_thread', 'threading', 'traceback', 'weakref'];
const FULL_SWEEP = (
  '_codecs _collections_abc _io _json _operator _random _signal _sitebuiltins _struct _thread _weakref _weakrefset abc argparse array ' +
  'ast asyncio asyncio.base_events asyncio.events asyncio.futures asyncio.tasks base64 binascii bisect builtins bz2 calendar ' +
  'codecs collections collections.abc concurrent.futures concurrent.futures._base concurrent.futures.thread contextlib contextvars copy ' +
  'copyreg csv dataclasses datetime decimal difflib dis email.message encodings encodings.utf_8 enum errno fnmatch fractions functools ' +
  'gc genericpath glob gzip hashlib heapq hmac html importlib importlib.machinery importlib.util inspect io itertools json json.decoder ' +
  'json.encoder json.scanner keyword linecache locale logging lzma marshal math mimetypes numbers opcode operator os os.path pathlib ' +
  'pickle platform posix posixpath pprint queue random re reprlib runpy sched secrets select selectors shlex shutil signal site socket ' +
  'sqlite3 stat statistics string struct sys tempfile textwrap threading time timeit token tokenize traceback types typing ' +
  'unicodedata unittest.mock urllib.parse uuid warnings weakref xml.etree.ElementTree zipfile zlib'
).split(' ');

const sweepOf = (module: string) =>
  [
    'import importlib',
    `m = importlib.import_module(${JSON.stringify(module)})`,
    'put, names = setattr, [n for n in vars(m) if callable(vars(m)[n])]',
    'for n in names:',
    '    try: put(m, n, None)',
    '    except (AttributeError, TypeError): pass',
  ].join('\n');

/** Cells that break modules the runtime depends on: by mistake, by a careless patch, or on purpose. */
export function describeSabotage(bench: () => Bench): void {
  async function sabotage(repl: Repl, code: string): Promise<void> {
    const tools = [{ name: 'look', description: 'Looks.', parameters: ['q'] }];
    await repl.bind({ values: { context: { kind: 'text', text: 'abc' } }, tools });
    await repl.execute({ code: 'kept = 41', handle: 't1.0' });
    await repl.execute({ code, handle: 't1.1' });
  }

  async function expectUsable(repl: Repl): Promise<void> {
    const print = 'import sys\nprint("out", kept, "\\ud800")\nprint("err", file=sys.stderr)\nkept = kept + 1\nkept';
    const printed = await repl.execute({ code: print, handle: 't2.0' });
    const { restarted, value, stdout, stderr } = printed;
    expect({ restarted, value, stdout: stdout.text, stderr: stderr.text }).toEqual({
      value: '42',
      stdout: 'out 41 \ufffd\n',
      stderr: 'err\n',
    });
    const ask = [
      'try: llm_query("bad")',
      'except LLMError as e: code = e.code',
      'replies = [llm_query("a", model=None), llm_query_batched(["b"])[0], rlm_query("c", "d"), look(q=1)["name"]]',
      '[code, *replies, len(history), context, "kept: int" in SHOW_VARS()]',
    ].join('\n');
    bench().host.onHistory = () => 3;
    bench().host.onCall = (call) => {
      const prompt = call.kind === 'rlm' ? call.query : call.prompt;
      const usage = { inputTokens: 1, outputTokens: 1, costUsd: null };
      if (prompt !== 'bad') return `re ${prompt}`;
      return { ok: false, text: '', truncated: false, usage, error: { code: 'timeout', message: 'slow' } };
    };
    const asked = await repl.execute({ code: ask, handle: 't2.1' });
    expect(asked.error).toBeNull();
    expect(asked.value).toBe("['timeout', 're a', 're b', 're c', 'look', 3, 'abc', True]");
    expect((await repl.execute({ code: '1/0', handle: 't2.2' })).error?.type).toBe('ZeroDivisionError');
    expect((await repl.execute({ code: 'FINAL_VAR("kept")', handle: 't2.3' })).answer?.text).toBe('42');
  }

  describe('a cell cannot break later ones by changing', () => {
    test.for(Object.entries(SABOTAGE))('%s', async ([, code]) => {
      const { repl } = bench();
      await sabotage(repl, code);
      await expectUsable(repl);
    });
  });

  describe('a cell cannot break helpers, output and state by changing', () => {
    test.for(Object.entries(ASYNCIO))('%s', async ([, code]) => {
      const repl = await bench().open();
      await sabotage(repl, code);
      await expectUsable(repl);
      await repl.close();
    });

    const full = process.env.FATHOM_SWEEP === 'full';
    test.for(full ? FULL_SWEEP : SWEPT)('every callable of %s', async (module) => {
      const repl = await bench().open();
      await sabotage(repl, sweepOf(module));
      await expectUsable(repl);
      await repl.close();
    });
  });

  describe('sabotage is done, and', () => {
    test('lasts for the rest of its own cell', async () => {
      const code = 'import sys, builtins\nkeep = print\nbuiltins.print = lambda *a: None\nprint("lost")\nkeep("said")';
      expect((await bench().run(code)).stdout.text).toBe('said\n');
      const broken = await bench().run('llm_query.__kwdefaults__ = {}\nllm_query("x")');
      expect(broken.error?.type).toBe('TypeError');
      const silent = await bench().run('import sys\nsys.stdout.write = lambda s: len(s)\nprint("lost")');
      expect(silent.stdout.text).toBe('');
    });

    test('names that cells add to builtins stay', async () => {
      await bench().run('import builtins\nbuiltins.mine = 5');
      expect(await bench().value('mine')).toBe('5');
    });
  });
}
