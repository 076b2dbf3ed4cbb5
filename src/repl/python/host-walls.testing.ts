/**
 * A cell cannot reach the host's files, its kernel's shared limits or other REPLs at the level namespace. The same
 * attempts succeed in a process without walls: guest/tests_native/test_attempts.py and test_mounts.py are the controls.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Bench, useBench } from '../../../test/repl-conformance/bench.ts';
import { pythonBackend } from './backend.ts';
import { type Machine, PYTHON_CAPABILITIES } from './testing.ts';

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];

/** Python that lists what of `attempts` raised no OSError. */
function attempts(lines: readonly string[]): string {
  const tried = lines.map((line) => `try:\n    ${line}\n    got.append(${JSON.stringify(line)})\nexcept OSError: pass`);
  return ['import os, fcntl, socket, ctypes', ...CALL, 'got = []', ...tried, 'got'].join('\n');
}

/** A system call by number that raises OSError. */
function call(x64: number, arm64: number, ...rest: readonly string[]): string {
  return `call(${[process.arch === 'arm64' ? arm64 : x64, ...rest].join(', ')})`;
}

const CALL = [
  'def call(number, *arguments):',
  '    if ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments) < 0: raise OSError',
];

/** Defines the tests. */
export function describeHostWalls({ options }: Machine): void {
  const bench: Bench = useBench(async () => pythonBackend(options), PYTHON_CAPABILITIES);

  test('the level is namespace, and the proof has found nothing', async () => {
    const backend = pythonBackend(options);
    try {
      const { level, findings } = await backend.prove();
      expect([level, findings.metadata, findings.shared, findings.signals]).toEqual(['namespace', [], [], []]);
    } finally {
      await backend.close();
    }
  });

  test('no metadata of a device or a shown file can be changed, and the devices work', async () => {
    // Each attempt sets what is set already: a wall that falls must not take the machine with it.
    const before = DEVICES.map((name) => statSync(`/dev/${name}`));
    const files = [...DEVICES.map((name) => `"/dev/${name}"`), 'os.__file__', '"/usr"', '"/bin/sh"', '"/proc/meminfo"'];
    const lines = files.flatMap((path) => [
      `os.chmod(${path}, os.stat(${path}).st_mode & 0o7777)`,
      `os.fchmod(os.open(${path}, os.O_RDONLY), os.stat(${path}).st_mode & 0o7777)`,
      `os.chmod("/proc/self/fd/%d" % os.open(${path}, os.O_PATH), os.stat(${path}).st_mode & 0o7777)`,
      `os.chown(${path}, os.getuid(), os.getgid())`,
      `os.utime(${path}, ns=(os.stat(${path}).st_atime_ns, os.stat(${path}).st_mtime_ns))`,
      `os.utime(os.open(${path}, os.O_RDONLY), ns=(os.stat(${path}).st_atime_ns, os.stat(${path}).st_mtime_ns))`,
      `os.setxattr(${path}, "user.x", b"1")`,
      `fcntl.ioctl(os.open(${path}, os.O_RDONLY), 0x40086602, bytearray(8))`,
      `fcntl.ioctl(os.open(${path}, os.O_RDONLY), 0x401C5820, bytearray(28))`,
      `fcntl.fcntl(os.open(${path}, os.O_RDONLY), 1024, fcntl.F_RDLCK)`,
      `fcntl.fcntl(os.open(${path}, os.O_RDONLY), 1036, bytes(8))`,
    ]);
    expect(await bench.value(attempts(lines))).toBe('[]');
    const use =
      'out = open("/dev/null", "w"); out.write("x"); out.flush()\nopen("/dev/null").read(), open("/dev/zero", "rb").read(2), len(os.urandom(4)), len(open("/dev/urandom", "rb").read(3)), os.system("echo gone > /dev/null")';
    expect(await bench.value(`import os\n${use}`)).toBe(String.raw`('', b'\x00\x00', 4, 3, 0)`);
    const after = DEVICES.map((name) => statSync(`/dev/${name}`));
    expect(after.map(({ mode, uid }) => [mode, uid])).toEqual(before.map(({ mode, uid }) => [mode, uid]));
  });

  test('in the own folders modes and times are the cell’s own: shutil, tar and git work', async () => {
    const code = [
      'import os, shutil, subprocess, tarfile',
      'open("/work/a", "w").write("x"); os.chmod("/work/a", 0o751); os.utime("/work/a", (5, 5))',
      'shutil.copy2("/work/a", "/work/b"); info = os.stat("/work/b")',
      'with tarfile.open("/work/t.tar", "w") as tar: tar.add("/work/a", "a")',
      'os.mkdir("/work/u"); tarfile.open("/work/t.tar").extractall("/work/u"); out = os.stat("/work/u/a")',
      'made = subprocess.run("cp -a /work/a /work/c && command -v git > /dev/null && git init -q /work/g && git -C /work/g config user.name a", shell=True, capture_output=True, text=True).stderr',
      'oct(info.st_mode & 0o777), info.st_mtime, oct(out.st_mode & 0o777), out.st_mtime, made',
    ].join('\n');
    expect(await bench.value(code)).toBe("('0o751', 5.0, '0o751', 5.0, '')");
  });

  test('extended attributes are refused, and inodes are in proportion to diskBytes', async () => {
    const code = [
      'import os, errno',
      'open("/tmp/x", "w").close(); said = set()',
      'for use in (lambda: os.setxattr("/tmp/x", "user.a", bytes(60000)), lambda: os.setxattr(os.open("/tmp/x", os.O_RDWR), "user.a", b"1"), lambda: os.removexattr("/tmp/x", "user.a")):',
      '    try: use(); said.add("done")',
      '    except OSError as error: said.add(errno.errorcode[error.errno])',
      'said',
    ].join('\n');
    expect(await bench.value(code)).toMatch(/^\{'(EOPNOTSUPP|ENOTSUP)'\}$/);
    const repl = await bench.open({ diskBytes: 32 * 1024 * 1024 });
    const many = [
      'import os',
      'made = 0',
      'try:',
      '    for made in range(100_000): os.close(os.open(f"/tmp/{made}", os.O_CREAT | os.O_WRONLY))',
      'except OSError as error: reason = error.strerror',
      'made <= 8192, made > 4000, reason',
    ].join('\n');
    expect((await repl.execute({ code: many, handle: 't1.0' })).value).toBe("(True, True, 'No space left on device')");
  });

  test('sixty pairs of sockets and pipes hold no more than what is counted for them', async () => {
    const code = [
      'import os, socket, fcntl',
      'total = 0; refused = set(); held = []',
      'def fill(write):',
      '    sent = 0',
      '    try:',
      '        while True: sent += write(bytes(65536))',
      '    except BlockingIOError: return sent',
      'for _ in range(60):',
      '    pair = socket.socketpair(); held.append(pair)',
      '    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33):',
      '        try: pair[0].setsockopt(socket.SOL_SOCKET, option, 1 << 24)',
      '        except PermissionError: refused.add(option)',
      '    for end in pair: end.setblocking(False); total += fill(end.send)',
      '    ends = os.pipe(); held.append(ends); os.set_blocking(ends[1], False)',
      '    try: fcntl.fcntl(ends[1], 1031, 1 << 20)',
      '    except PermissionError: refused.add("pipe")',
      '    total += fill(lambda data: os.write(ends[1], data))',
      'for one in held:',
      '    for end in one: end.close() if hasattr(end, "close") else os.close(end)',
      'len(refused), total <= 60 * 3 * 256 * 1024',
    ].join('\n');
    expect(await bench.value(code)).toBe('(5, True)');
  });

  test('no limit that the host’s user shares, no object of the host’s, no socket that can name another', async () => {
    const lines = [
      'socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)',
      'socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)',
      'socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, 16, 1)',
      'socket.socketpair()[0].sendto(b"x", "/nowhere")',
      'fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getpid())',
      'fcntl.fcntl(os.open("/tmp", os.O_RDONLY), 1026, 2)',
      call(294, 26, '0'),
      call(206, 0, '1', 'ctypes.byref(ctypes.c_ulong(0))'),
      call(300, 262, '0', '0'),
      call(444, 444, 'b"\\1" + bytes(7)', 'ctypes.c_size_t(8)', '0'),
      call(30, 196, '0', '0', '0'),
      call(65, 193, '0', 'bytes(6)', '1'),
      call(70, 188, '0', 'bytes(64)', '8', '0', '0o4000'),
      call(240, 180, 'b"x"', '0o102', '0o600', '0'),
      call(435, 435, 'bytes(64)', '64'),
    ];
    expect(await bench.value(attempts(lines))).toBe('[]');
  });

  test('each REPL has a network namespace of its own, in which there is nothing', async () => {
    const look =
      'import os\nos.readlink("/proc/self/ns/net"), open("/proc/net/dev").read().count(":"), len(open("/proc/net/route").readlines()) < 2';
    const [one, two] = [await bench.open(), await bench.open()];
    const at = async (repl: typeof one) => (await repl.execute({ code: look, handle: 't1.0' })).value ?? '';
    const [first, second] = [await at(one), await at(two)];
    expect(first).toMatch(/^\('net:\[\d+\]', 1, True\)$/);
    expect(second).not.toBe(first);
    const host = spawnSync('readlink', ['/proc/self/ns/net']).stdout.toString().trim();
    expect(first + second).not.toContain(host);
    // A namespace is used again once its REPL has ended, and by one REPL at a time.
    await one.close();
    const others = await Promise.all([bench.open(), bench.open(), bench.open()]);
    const seen = await Promise.all(others.map(at));
    expect(new Set([second, ...seen]).size).toBe(4);
    const sockets =
      'import socket\npairs = [socket.socketpair() for _ in range(50)]\nopen("/proc/net/unix").read().count("\\n")';
    const count = async (repl: typeof one, code: string) =>
      Number((await repl.execute({ code, handle: 't1.1' })).value);
    const before = await count(two, 'open("/proc/net/unix").read().count("\\n")');
    for (const repl of others) await repl.execute({ code: sockets, handle: 't1.1' });
    expect(await count(two, 'open("/proc/net/unix").read().count("\\n")')).toBe(before);
  });

  test('the supervisor is not listed, and neither Fathom’s folder nor how the machine was booted is shown', async () => {
    const code = [
      'import os',
      'lines = [open(f"/proc/{p}/cmdline").read().strip("\\0") for p in os.listdir("/proc") if p.isdigit()]',
      'os.path.exists("/proc/1"), set(lines) - {""}, open("/proc/cmdline").read(), open("/proc/sys/kernel/random/boot_id").read()',
    ].join('\n');
    expect(await bench.value(code)).toBe("(False, {'fathom-python'}, '', '')");
    const writes = [
      '"/proc/sys/kernel/hostname"',
      '"/proc/self/oom_score_adj"',
      '"/proc/self/comm"',
      '"/proc/sysrq-trigger"',
    ];
    expect(await bench.value(attempts(writes.map((path) => `open(${path}, "r+b", 0).write(b"1")`)))).toBe('[]');
  });
}
