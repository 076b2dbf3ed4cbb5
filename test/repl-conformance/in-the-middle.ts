import { describe, expect, test } from 'vitest';
import type { Bench } from './bench.ts';

/** Garbage that is collected at the next chance, wherever the interpreter is then. */
const GARBAGE = `
import gc, sys
class Garbage:
    def __init__(self, end): self.me, self.end = self, end
    def __del__(self): self.end()
before = gc.get_threshold()
gc.set_threshold(7, 2, 2)
def ask(end):
    for i in range(300): Garbage(end); llm_query("x")
    for i in range(60): Garbage(end); llm_query_batched([str(j) for j in range(150 + i)])
    Garbage(end); rlm_query("q", "c" * 9_000_000)
`;

/** Code of cells that the interpreter runs in the middle of the runtime's own steps: hostile cell 22. */
export function describeInTheMiddle(bench: () => Bench): void {
  async function usable(): Promise<void> {
    expect(await bench().value('llm_query("still")')).toBe("'echo: still'");
  }

  describe('code in the middle of the channel’s steps', () => {
    test('22 finalizers that print do not hold up the calls they come between', async () => {
      const outcome = await bench().run(`${GARBAGE}said = 0
def end():
    global said
    said += 1
    print("bye")
ask(end)
gc.set_threshold(*before)
print("counted", said)`);
      expect(outcome.error).toBeNull();
      const lines = outcome.stdout.text.trimEnd().split('\n');
      expect(lines.pop()).toBe(`counted ${lines.length}`);
      expect(new Set(lines)).toEqual(new Set(['bye']));
      await usable();
    }, 60_000);

    test('22 what runs while a frame is sent can print, and is refused a call', async () => {
      const outcome = await bench().run(`transport = history._channel.transport
send, said = transport.send, []
def meanwhile(frame):
    transport.send = send
    print("meanwhile")
    try: llm_query("too")
    except RuntimeError as error: said.append(str(error))
    send(frame)
transport.send = meanwhile
llm_query("x"), said`);
      expect(outcome.error).toBeNull();
      expect(outcome.value).toMatch(/^\('echo: x', \['the host cannot be asked from here/);
      expect(outcome.stdout.text).toBe('meanwhile\n');
      await usable();
    });

    test('22 finalizers that ask a model are answered or refused', async () => {
      const outcome = await bench().run(`${GARBAGE}answered = refused = 0
def end():
    global answered, refused
    try: answered += llm_query("end") == "echo: end"
    except RuntimeError: refused += 1
ask(end)
gc.set_threshold(*before)
answered + refused > 100`);
      expect(outcome).toMatchObject({ error: null, value: 'True' });
      await usable();
    }, 60_000);

    test.each(['settrace', 'setprofile'])(
      '22 what %s does there fails its cell at most',
      async (set) => {
        const outcome = await bench().run(`import sys
events = 0
def asks(frame, event, value):
    global events
    events += 1
    try: events % 7 or llm_query("trace")
    except RuntimeError: pass
    return asks
sys.${set}(asks)
r = llm_query_batched(["a", "b"])
sys.${set}(None)
r`);
        expect(outcome).toMatchObject({ error: null, value: "['echo: a', 'echo: b']" });
        // An exception at each step in turn: wherever it leaves the runtime, the next cell is served.
        for (let step = 1; step < 120; step += 7) {
          await bench().run(`import sys
left = ${step}
def raises(frame, event, value):
    global left
    left -= 1
    if left == 0: raise RuntimeError
    return raises
sys.${set}(raises)
try: llm_query("x")
finally: sys.${set}(None)`);
          await usable();
        }
      },
      60_000,
    );
  });
}
