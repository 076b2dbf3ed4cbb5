/**
 * A seccomp filter in the kernel's BPF: system calls that neither Node nor Pyodide needs in here fail with EPERM.
 *
 * @module
 */

/** System call numbers by processor: x86-64 from its own table, arm64 from the generic one. */
const DENIED = {
  // Sockets: there is no network in the namespace, and no way to get at another one either.
  socket: [41, 198],
  connect: [42, 203],
  accept: [43, 202],
  bind: [49, 200],
  listen: [50, 201],
  accept4: [288, 242],
  // Other processes.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  pidfd_send_signal: [424, 424],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  // Namespaces and mounts.
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  open_by_handle_at: [304, 265],
  // Parts of the kernel with a record.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  reboot: [169, 142],
  swapon: [167, 224],
  acct: [163, 89],
  settimeofday: [164, 170],
  quotactl: [179, 60],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>;

const ARCHITECTURES = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
} as const;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const KILL = 0x80000000;
const OFFSET_ARCH = 4;
const OFFSET_NUMBER = 0;
/** x86-64 numbers from here on are the x32 ABI: other numbers for the same calls. */
const X32 = 0x40000000;

/** The filter for a processor (`process.arch`); undefined where its numbers are not known here. */
export function deniedCallsFilter(arch: string): Buffer | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined;
  const { audit, column } = ARCHITECTURES[arch];
  return Buffer.concat([
    instruction(LOAD, 0, 0, OFFSET_ARCH),
    instruction(JUMP_EQUAL, 1, 0, audit),
    instruction(RETURN, 0, 0, KILL),
    instruction(LOAD, 0, 0, OFFSET_NUMBER),
    ...(arch === 'x64' ? [instruction(JUMP_GREATER_EQUAL, 0, 1, X32), instruction(RETURN, 0, 0, KILL)] : []),
    ...Object.values(DENIED).flatMap((numbers) => [
      instruction(JUMP_EQUAL, 0, 1, numbers[column]),
      instruction(RETURN, 0, 0, EPERM),
    ]),
    instruction(RETURN, 0, 0, ALLOW),
  ]);
}

function instruction(code: number, ifTrue: number, ifFalse: number, operand: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(operand >>> 0, 4);
  return bytes;
}
