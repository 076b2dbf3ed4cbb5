/** The filter of the embedded REPL refuses what the native one refuses, with the same errors. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { defined } from '../../defined.ts';
import { ABSENT, ATTRIBUTES, type Numbers as EmbeddedNumbers, LAST_KNOWN, REFUSED } from '../refused-calls.ts';
import { deniedCallsFilter } from '../seccomp.ts';
import { findInterpreter } from './interpreter.ts';
import { describeWithPython } from './testing.ts';

type Numbers = readonly (number | null)[];
type Lists = Readonly<Record<'REFUSED' | 'ABSENT' | 'ATTRIBUTES', Readonly<Record<string, Numbers>>>>;

/** Calls that one filter refuses and the other does not, with the reason. */
const ONLY_EMBEDDED: Readonly<Record<string, string>> = {
  pidfd_open: "Python's subprocess waits for children by it; Node does not",
};
const ERRORS = { REFUSED: 1, ABSENT: 38, ATTRIBUTES: 95 } as const;

async function nativeLists(): Promise<Lists & { readonly LAST_KNOWN: number }> {
  const { executable } = await findInterpreter();
  const code =
    'import json; from fathom_native.box import calls; print(json.dumps({n: getattr(calls, n) for n in ("REFUSED", "ABSENT", "ATTRIBUTES", "LAST_KNOWN")}))';
  const cwd = fileURLToPath(new URL('../../../guest', import.meta.url));
  return JSON.parse((await promisify(execFile)(executable, ['-B', '-c', code], { cwd })).stdout);
}

/** The filter's verdict on a call: the kernel's own reading of its few instructions. */
function decide(
  filter: Buffer,
  data: { readonly arch: number; readonly number: number; readonly first?: number },
): number {
  const fields: Readonly<Record<number, number>> = { 0: data.number, 4: data.arch, 16: data.first ?? 0 };
  let value = 0;
  for (let at = 0; ; at += 8) {
    const [code, ifTrue, ifFalse, operand] = [
      filter.readUInt16LE(at),
      filter[at + 2],
      filter[at + 3],
      filter.readUInt32LE(at + 4),
    ];
    if (code === 0x06) return operand;
    if (code === 0x20) {
      value = fields[operand] ?? 0;
      continue;
    }
    const holds = code === 0x15 ? value === operand : code === 0x35 ? value >= operand : (value & operand) !== 0;
    at += 8 * Number(holds ? ifTrue : ifFalse);
  }
}

await describeWithPython('system calls', () => {
  test('the embedded list is the native list', async () => {
    const native = await nativeLists();
    const embedded = { REFUSED, ABSENT, ATTRIBUTES };
    expect(LAST_KNOWN).toBe(native.LAST_KNOWN);
    for (const name of ['REFUSED', 'ABSENT', 'ATTRIBUTES'] as const) {
      const others = Object.fromEntries(
        Object.entries<EmbeddedNumbers>(embedded[name])
          .filter(([call]) => !(call in ONLY_EMBEDDED))
          .map(([call, numbers]) => [call, numbers.map((number) => number ?? null)]),
      );
      expect(others).toEqual(native[name]);
    }
  });

  test('the embedded filter does what the list says', async () => {
    const native = await nativeLists();
    for (const [column, machine, arch, clone] of [
      [0, 'x64', 0xc000003e, 56],
      [1, 'arm64', 0xc00000b7, 220],
    ] as const) {
      const filter = deniedCallsFilter(machine) ?? Buffer.alloc(0);
      const said = (number: number, first?: number) => decide(filter, { arch, number, ...defined({ first }) });
      for (const name of ['REFUSED', 'ABSENT', 'ATTRIBUTES'] as const) {
        for (const [call, numbers] of Object.entries(native[name])) {
          const number = numbers[column];
          if (number !== null && number !== undefined)
            expect([call, said(number)]).toEqual([call, 0x50000 | ERRORS[name]]);
        }
      }
      expect([said(clone, 17), said(clone, 0x3d0f00)]).toEqual([0x7fff0000, 0x7fff0000]);
      for (const flag of [0x20000, 0x10000000, 0x20000000, 0x40000000]) expect(said(clone, 17 | flag)).toBe(0x50001);
      expect(said(600)).toBe(0x50026);
      expect(decide(filter, { arch: 0x40000003, number: 1 })).toBe(0x80000000);
    }
    expect(decide(deniedCallsFilter('x64') ?? Buffer.alloc(0), { arch: 0xc000003e, number: 0x40000001 })).toBe(
      0x80000000,
    );
  });
});
