/**
 * The supervisor watches a REPL's memory and processes however they hide, those left behind between cells, and its own
 * snapshots. The same for every user who runs them, and in every box.
 *
 * @module
 */
import { expect, test } from 'vitest';
import { type Bench, useBench } from '../../../test/repl-conformance/bench.ts';
import type { CellOutcome, Repl } from '../port.ts';
import { pythonBackend } from './backend.ts';
import { marked, nextMark, prelude, stopped, until } from './marked-processes.testing.ts';
import { type Machine, PYTHON_CAPABILITIES } from './testing.ts';

const MIB = 1024 * 1024;
const AS_BEFORE = 'variables and files are as they were before this cell';
/** Defines the tests. */
export function describeWatch({ options }: Machine): void {
  const bench: Bench = useBench(async () => pythonBackend(options), PYTHON_CAPABILITIES);
  const run = (repl: Repl, code: string, timeoutMs = 60_000): Promise<CellOutcome> =>
    repl.execute({ code, handle: 't1.0', timeoutMs });
  const valueIn = async (repl: Repl, code: string): Promise<string | null> => {
    const { error, value } = await run(repl, code);
    expect(error).toBeNull();
    return value;
  };
  /** A REPL with a variable, and a name for the processes of its next cell. */
  async function openCalm(limits = {}): Promise<{ repl: Repl; mark: string; gone: () => boolean }> {
    const repl = await bench.open(limits);
    await run(repl, 'kept = 1');
    const mark = nextMark();
    return { repl, mark, gone: () => marked(mark).length === 0 };
  }

  test('memory of processes whose first thread has ended counts, and they are ended', async () => {
    const { repl, mark, gone } = await openCalm({ memoryBytes: 256 * MIB });
    // The control: processes that hold little are left alone, though nothing of theirs is seen at their own names.
    const modest = `${prelude(mark)}\nfor _ in range(3): hidden(lambda: bytearray(b"x") * (1 << 20))`;
    expect((await run(repl, modest)).error).toBeNull();
    await until(() => marked(mark).filter(({ state, memory }) => state === 'Z' && memory === 0).length === 3);
    const hoard = `${prelude(mark)}\nfor _ in range(5): hidden(lambda: bytearray(b"x") * (100 << 20))\ntime.sleep(60)`;
    const outcome = await run(repl, hoard);
    expect(outcome.error?.message).toMatch(
      /held \d+ bytes of memory, and the limit is 268435456 bytes \(memoryBytes\)/,
    );
    expect(outcome.restarted?.lost).toBe(AS_BEFORE);
    expect(await valueIn(repl, 'kept')).toBe('1');
    expect(marked(mark).filter(({ state }) => state === 'Z')).toEqual([]);
    await repl.close();
    await until(gone);
  });

  test('… and so does memory of a process that would let none look into it', async () => {
    const { repl, mark, gone } = await openCalm({ memoryBytes: 256 * MIB });
    const program = '/work/program';
    const copy = `import shutil, sys, os\nshutil.copy(os.path.realpath(sys.executable), "${program}"); os.chmod("${program}", 0o111)`;
    const hide = [
      'refused = [ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)]',
      'for _ in range(5):',
      '    if os.fork() == 0:',
      `        os.execv("${program}", ["${program}", "-c", "import ctypes, time; ctypes.CDLL(None).prctl(15, b'${mark}', 0, 0, 0); x = bytearray(b'x') * (100 << 20); time.sleep(600)"])`,
    ].join('\n');
    expect((await run(repl, copy)).error).toBeNull();
    const outcome = await run(repl, `${prelude(mark)}${hide}\nprint(refused)\ntime.sleep(60)`);
    expect(outcome.stdout.text).toBe('[-1]\n');
    expect(outcome.error?.message).toMatch(/held \d+ bytes of memory/);
    await until(gone);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });

  test.each([
    ['a crash', 'os._exit(3)', undefined],
    ['a deadline', 'sum(range(10**13))', 1_500],
    ['a SIGKILL', 'os.kill(os.getpid(), 9)', undefined],
  ])('a process whose first thread has ended does not outlive %s', async (_name, end, timeoutMs) => {
    const { repl, mark, gone } = await openCalm();
    const start = `${prelude(mark)}\nhidden(lambda: 1)\nhidden(lambda: 1, session=False)\n${end}`;
    const outcome = await run(repl, start, timeoutMs);
    expect(outcome.restarted?.lost).toBe(AS_BEFORE);
    await until(gone);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });

  test('… nor a rollback, nor the REPL', async () => {
    const { repl, mark, gone } = await openCalm();
    await repl.snapshot('calm');
    const start = `${prelude(mark)}\nhidden(lambda: 1)\nhidden(lambda: 1, session=False)`;
    expect((await run(repl, start)).error).toBeNull();
    await until(() => marked(mark).filter(({ state }) => state === 'Z').length === 2); // without an end: for ten minutes
    await repl.rollback('calm');
    await until(gone);
    expect((await run(repl, start)).error).toBeNull();
    await repl.close();
    await until(gone);
  });

  test.each([
    ['a child', 'if os.fork() == 0: late()'],
    ['a daemon', 'if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: late()\n    os._exit(0)\nos.wait()'],
    ['a child of a thread', 'import threading\nthreading.Timer(0.3, lambda: os.fork() or late()).start()'],
    [
      'a process whose first thread has ended',
      'import threading\nhidden(lambda: threading.Thread(target=late).start())',
    ],
  ])('memory that %s takes after its cell is held within the limit between cells', async (_name, start) => {
    const { repl, mark, gone } = await openCalm({ memoryBytes: 256 * MIB });
    const late =
      'def late():\n    time.sleep(0.4)\n    hoard = []\n    while True: hoard.append(bytearray(b"x") * (30 << 20)); time.sleep(0.02)\n';
    expect((await run(repl, `${prelude(mark)}${late}${start}`)).error).toBeNull();
    // Ended for its memory, or stopped before it has much. Without the wall it would continue up to the machine's
    // memory.
    await until(() => gone() || stopped(mark));
    const held = marked(mark).reduce((total, { memory }) => total + memory, 0);
    expect(held).toBeLessThan(700 * MIB);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
    await until(gone);
  });

  test('processes that a cell leaves behind are stopped between cells, and continue with the next', async () => {
    const { repl, mark, gone } = await openCalm();
    const start = [
      prelude(mark),
      'import threading',
      'def spin():\n    while True: pass',
      'threading.Thread(target=spin, daemon=True).start()',
      'if os.fork() == 0:\n    os.setsid()\n    spin()',
      'if os.fork() == 0: spin()',
    ].join('\n');
    expect((await run(repl, start)).error).toBeNull();
    const busy = (): number => marked(mark).reduce((total, { ticks }) => total + ticks, 0);
    await until(() => busy() > 5); // the control: it runs on after its cell
    await until(() => stopped(mark));
    const still = busy();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(busy()).toBe(still);
    await run(repl, 'until = time.monotonic() + 1\nwhile time.monotonic() < until: time.sleep(0.01)');
    expect(busy()).toBeGreaterThan(still);
    await repl.close();
    await until(gone);
  });

  const forged = (mark: string, more = '') =>
    `${prelude(mark)}${more}channel = history._channel\nchannel.send(2, channel.command_id, {"ok": True, "variables": []})\n`;

  test('a cell that forges its result does not run on without a deadline', async () => {
    const { repl, mark, gone } = await openCalm();
    const outcome = await run(repl, `${forged(mark)}while True: pass`);
    expect([outcome.ok, marked(mark).length]).toEqual([true, 1]); // the control: the forgery is taken for a result
    const next = await run(repl, 'kept', 5_000);
    expect(next.error?.message).toContain('it did not stop running after its last cell');
    expect(next.restarted?.lost).toContain('as they were at an earlier moment');
    await until(gone);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });

  test('… nor when it plays at being at rest', async () => {
    const { repl, mark } = await openCalm();
    await run(repl, `${forged(mark)}os.write(1001, b'{"failed": "x"}')\nwhile True: pass`);
    await until(() => stopped(mark));
    const still = marked(mark);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(marked(mark)).toEqual(still);
    await repl.close();
  });

  test('… nor when a timer lets it continue', async () => {
    const { repl, mark, gone } = await openCalm();
    // POSIX timers that send SIGCONT twenty times a second. Each fires once: a periodic one ends for good when a SIGSTOP
    // removes its SIGCONT before it is delivered, which happens where processes wait for the processor.
    const timer = [
      'signal.signal(signal.SIGCONT, lambda *_: None)',
      'c = ctypes.CDLL(None)',
      'event = (ctypes.c_byte * 64)(); ctypes.c_int.from_buffer(event, 8).value = signal.SIGCONT',
      'for tick in range(1, 601):',
      '    ident = ctypes.c_void_p(); when = (ctypes.c_long * 4)(0, 0, tick // 20, tick % 20 * 50_000_000)',
      '    assert c.timer_create(1, event, ctypes.byref(ident)) == 0 and c.timer_settime(ident, 0, when, None) == 0\n',
    ].join('\n');
    const outcome = await run(repl, `${forged(mark, timer)}os.write(1001, b'{"failed": "x"}')\nwhile True: pass`);
    expect(outcome.error).toBeNull();
    expect(gone()).toBe(false);
    await until(gone);
    const next = await run(repl, 'kept');
    expect(next.error?.message).toContain('it continued although it had been stopped');
    expect(next.restarted?.lost).toContain('as they were at an earlier moment');
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });

  test('a crash is reported at once, also when a child holds the connection', async () => {
    for (const hold of [
      'if os.fork() == 0: time.sleep(600)',
      'if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)',
      'import subprocess; subprocess.Popen(["sleep", "600"], pass_fds=(1000,))',
    ]) {
      const { repl } = await openCalm();
      const outcome = await run(repl, `import os, time\nprint("last words", flush=True)\n${hold}\nos._exit(3)`);
      expect(outcome.error?.message).toContain('exit code 3');
      expect(outcome.stdout.text).toBe('last words\n');
      expect(outcome.durationMs).toBeLessThan(10_000);
      await repl.close();
    }
  });

  const forgeries: readonly (readonly [string, string])[] = [
    ['announces a snapshot', 'os.write(1001, b\'{"forking": true}\')\nos.write(1001, b\'{"forking": true}\')'],
    [
      'has a child announce and report one',
      'if os.fork() == 0:\n    os.write(1001, b\'{"forking": true}\')\n    os.write(1002, b\'{"frozen": true}\')\n    while True: kept = 666; time.sleep(0.01)',
    ],
    ['has a child report one', 'if os.fork() == 0:\n    os.write(1001, b\'{"failed": "x"}\')\n    time.sleep(600)'],
    ['floods', 'while True: os.write(1001, b\'{"forking": true}\')'],
  ];
  test.each(forgeries)('a cell that %s is ended, and the REPL is as it was', async (_name, attack) => {
    const { repl, mark, gone } = await openCalm();
    const outcome = await run(repl, `${prelude(mark)}\nkept = 666\n${attack}\ntime.sleep(30)`);
    expect(outcome.error?.message).toContain('a cell wrote to a connection of the runtime');
    expect(outcome.restarted?.lost).toBe(AS_BEFORE);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await until(gone);
    await repl.snapshot('after'); // the control: an honest one is made
    await repl.close();
  });

  test('files and a flood do not hold up the end of a cell', async () => {
    const { repl } = await openCalm();
    const many = 'import os\nos.mkdir("/tmp/many")\nfor i in range(20_000): open(f"/tmp/many/{i}", "w").close()';
    expect((await run(repl, many)).error).toBeNull();
    const flood = 'import os\nwhile True:\n    try: os.write(1001, b\'{"forking": true}\')\n    except OSError: pass';
    const outcome = await run(repl, flood, 1_000);
    expect(outcome.ok).toBe(false);
    expect(outcome.durationMs).toBeLessThan(6_000);
    expect(await valueIn(repl, 'import os\nlen(os.listdir("/tmp/many")), kept')).toBe('(20000, 1)');
    await repl.close();
  }, 120_000);

  test('a snapshot that a cell has let run is discarded', async () => {
    const { repl } = await openCalm();
    await repl.snapshot('one');
    await repl.rollback('one'); // the control: it can be gone back to
    const wake =
      'import os, signal\nfor name in os.listdir("/proc"):\n    if name.isdigit() and int(name) not in (1, os.getpid()): os.kill(int(name), signal.SIGCONT)';
    expect((await run(repl, wake)).error).toBeNull();
    await expect(repl.rollback('one')).rejects.toThrow(/ended or changed from inside of the REPL/);
    await repl.close();
  });

  test('the copy of many files for a snapshot is on the clock of no cell', async () => {
    const { repl } = await openCalm();
    const many = 'import os\nfor i in range(30_000): open(f"/tmp/{i}", "w").close()\nkept = 2';
    expect((await run(repl, many)).error).toBeNull();
    const innocent = await run(repl, 'kept', 1_000);
    expect([innocent.error, innocent.value]).toEqual([null, '2']);
    expect(innocent.durationMs).toBeLessThan(1_000);
    await repl.snapshot('all');
    await run(repl, 'for i in range(30_000): os.remove(f"/tmp/{i}")');
    await repl.rollback('all');
    expect(await valueIn(repl, 'len(os.listdir("/tmp"))')).toBe('30000');
    await repl.close();
  }, 180_000);

  test.each([
    ['bash', 'import subprocess\nsubprocess.run("for i in $(seq 30); do sleep 60 & done; wait", shell=True)'],
    ['daemons', 'import os, time\nfor _ in range(30):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(60); os._exit(0)\ntime.sleep(60)'], // biome-ignore format: a cell
    ['processes whose first thread has ended', `for _ in range(30): hidden(lambda: 1)\ntime.sleep(60)`],
  ])('more than maxProcesses by %s end the cell with an error that says so', async (_name, code) => {
    const { repl, mark, gone } = await openCalm({ maxProcesses: 16 });
    const outcome = await run(repl, `${prelude(mark)}${code}`);
    expect(outcome.error?.message).toMatch(/it had \d+ processes, and the limit is 16 \(maxProcesses\)/);
    await until(gone);
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });

  test("nothing of the runtime's own trouble is in a cell's output", async () => {
    const { repl } = await openCalm();
    const take =
      'import os\ntaken = []\ntry:\n    while True: taken.append(os.open("/dev/null", os.O_RDONLY))\nexcept OSError: pass';
    const cells = [take, 'kept + 1', 'for fd in taken: os.close(fd)', 'kept + 2'];
    const outcomes: CellOutcome[] = [];
    for (const code of cells) outcomes.push(await run(repl, code));
    expect(outcomes.map(({ error, stderr }) => [error, stderr.text])).toEqual(cells.map(() => [null, '']));
    await repl.snapshot('later'); // and snapshots are made all the same
    await repl.rollback('later');
    expect(await valueIn(repl, 'kept')).toBe('1');
    await repl.close();
  });
}
