/**
 * A seccomp filter in the kernel's BPF: system calls that neither Node nor Pyodide needs in here fail.
 *
 * @module
 */

import { ABSENT, ATTRIBUTES, LAST_KNOWN, type Numbers, REFUSED } from './refused-calls.ts';

const ARCHITECTURES = {
  x64: { audit: 0xc000003e, column: 0, clone: 56 },
  arm64: { audit: 0xc00000b7, column: 1, clone: 220 },
} as const;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const [EPERM, ENOSYS, EOPNOTSUPP] = [1, 38, 95];
const KILL = 0x80000000;
const OFFSET_ARCH = 4;
const OFFSET_NUMBER = 0;
const OFFSET_FIRST_ARGUMENT = 16;
/** CLONE_NEW* flags of clone(2): a new user namespace would come with all capabilities. */
const NEW_NAMESPACES = 0x7e020000;
/** x86-64 numbers from here on are the x32 ABI: other numbers for the same calls. */
const X32 = 0x40000000;

/** The filter for a processor (`process.arch`); undefined where its numbers are not known here. */
export function deniedCallsFilter(arch: string): Buffer | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined;
  const { audit, column, clone } = ARCHITECTURES[arch];
  return Buffer.concat([
    instruction(LOAD, 0, 0, OFFSET_ARCH),
    instruction(JUMP_EQUAL, 1, 0, audit),
    instruction(RETURN, 0, 0, KILL),
    instruction(LOAD, 0, 0, OFFSET_NUMBER),
    ...(arch === 'x64' ? [instruction(JUMP_GREATER_EQUAL, 0, 1, X32), instruction(RETURN, 0, 0, KILL)] : []),
    instruction(JUMP_GREATER_EQUAL, 0, 1, LAST_KNOWN + 1),
    instruction(RETURN, 0, 0, ERRNO | ENOSYS),
    instruction(JUMP_EQUAL, 0, 4, clone),
    instruction(LOAD, 0, 0, OFFSET_FIRST_ARGUMENT),
    instruction(JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES),
    instruction(RETURN, 0, 0, ERRNO | EPERM),
    instruction(RETURN, 0, 0, ALLOW),
    ...failing(Object.values(REFUSED), column, EPERM),
    ...failing(Object.values(ABSENT), column, ENOSYS),
    ...failing(Object.values(ATTRIBUTES), column, EOPNOTSUPP),
    instruction(RETURN, 0, 0, ALLOW),
  ]);
}

function failing(calls: readonly Numbers[], column: 0 | 1, errno: number): readonly Buffer[] {
  return calls.flatMap((numbers) => {
    const number = numbers[column];
    if (number === undefined) return [];
    return [instruction(JUMP_EQUAL, 0, 1, number), instruction(RETURN, 0, 0, ERRNO | errno)];
  });
}

function instruction(code: number, ifTrue: number, ifFalse: number, operand: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(operand >>> 0, 4);
  return bytes;
}
