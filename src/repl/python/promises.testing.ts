/**
 * The promises of docs/isolation-python.md as tests; the same for every user who runs them. Each title is a promise.
 *
 * @module
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bench, useBench } from '../../../test/repl-conformance/bench.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { type PythonBackendOptions, pythonBackend } from './backend.ts';
import { type Machine, PYTHON_CAPABILITIES } from './testing.ts';

/** Python that lists what of `attempts` did not raise. */
function attempts(lines: readonly string[]): string {
  const tried = lines.map(
    (line) => `try:\n    ${line}\n    got.append(${JSON.stringify(line)})\nexcept BaseException: pass`,
  );
  return ['import os, socket, ctypes, signal, resource, subprocess', 'got = []', ...tried, 'got'].join('\n');
}

/** Defines the tests of the promises. */
export const describePromises = ({ name, options }: Machine): void => void describe(name, () => define(options));

function define(options: PythonBackendOptions): void {
  const bench: Bench = useBench(async () => pythonBackend(options), PYTHON_CAPABILITIES);
  const bash = (command: string) => bench.repl.bash({ command, handle: 't1.0' });

  test('1 no file of the host can be read, by no name for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fathom-secret-'));
    try {
      const secret = join(folder, 'secret');
      await writeFile(secret, 'sesame');
      const ways = [secret, `/proc/1/root${secret}`, `/proc/self/root${secret}`, `/work/../..${secret}`, '/etc/passwd', '/etc/shadow', '/root/.ssh', '/proc/1/environ', '/proc/1/mem', '/proc/1/fd/3', '/proc/kcore', '/dev/mem', '/dev/sda', '/dev/vda', '/sys/kernel', '/run', '/var/lib', `/home/..${secret}`]; // biome-ignore format: a list
      expect(await bench.value(attempts(ways.map((path) => `open(${JSON.stringify(path)}, "rb").read(1)`)))).toBe('[]');
      expect(await bench.value(attempts([`os.symlink(${JSON.stringify(secret)}, "link"); open("link").read()`]))).toBe(
        '[]',
      );
      expect(await bench.value('sorted(os.listdir("/home/repl") + os.listdir("/tmp") + os.listdir("/work"))')).toBe(
        "['link']",
      );
      expect((await bash(`cat ${secret} /etc/passwd`)).exitCode).not.toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('2 nothing outside of the own folders can be written', async () => {
    const places = ['/', '/usr', '/usr/bin', '/usr/lib', '/etc', '/dev', '/proc', '/proc/sys/kernel', '/bin', '/lib'];
    const lines = places.map((place) => `open(${JSON.stringify(`${place}/x`)}, "w")`);
    lines.push(
      'import sys; open(sys.prefix + "/x", "w")',
      'open(os.__file__, "a")',
      'open("/proc/sys/kernel/hostname", "w")',
    );
    lines.push(
      'os.chmod("/usr", 0o777)',
      'os.rename("/work", "/usr/work")',
      'os.mkdir("/new")',
      'os.remove(os.__file__)',
    );
    expect(await bench.value(attempts(lines))).toBe('[]');
    expect(
      await bench.value('[open(p + "/own", "w").write("1") for p in ("/work", "/tmp", "/home/repl", "/dev/shm")]'),
    ).toBe('[1, 1, 1, 1]');
  });

  test('3 the own folders hold no more than diskBytes, and no more than that is ever in memory for them', async () => {
    const repl = await bench.open({ diskBytes: 8 * 1024 * 1024 });
    const code =
      'import os\ntotal = 0\nfor i in range(100):\n    for f in ("/tmp", "/work", "/dev/shm", "/home/repl"):\n        try:\n            with open(f"{f}/{i}", "wb", 0) as file: total += file.write(b"x" * 1_000_000)\n        except OSError: pass\ntotal <= 8 * 1024 * 1024';
    expect((await repl.execute({ code, handle: 't1.0' })).value).toBe('True');
  });

  test('4 there is no network: no socket of any kind, no listener of the host in reach', async () => {
    const connections: string[] = [];
    const tcp = net.createServer((socket) => connections.push(String(socket.remoteAddress)));
    const folder = await mkdtemp(join(tmpdir(), 'fathom-listen-'));
    const unix = net.createServer(() => connections.push('unix'));
    tcp.listen(0, '127.0.0.1');
    unix.listen(join(folder, 's'));
    await Promise.all([once(tcp, 'listening'), once(unix, 'listening')]);
    try {
      const { port } = tcp.address() as net.AddressInfo;
      const found = await bench.value(
        attempts([
          `socket.create_connection(("127.0.0.1", ${port}), 1)`,
          'socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
          'socket.socket(socket.AF_INET6)',
          `s = socket.socket(socket.AF_UNIX); s.connect(${JSON.stringify(join(folder, 's'))})`,
          'socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)',
          'socket.socket(socket.AF_PACKET, socket.SOCK_RAW)',
          'socket.getaddrinfo("example.com", 80)',
        ]),
      );
      expect(found).toBe('[]');
      expect((await bash(`exec 3<>/dev/tcp/127.0.0.1/${port}`)).exitCode).not.toBe(0);
      expect(connections).toEqual([]);
    } finally {
      tcp.close();
      unix.close();
      await rm(folder, { recursive: true });
    }
  });

  test('5 no process of others is in sight, and none can be signalled or looked into', async () => {
    const pids = await bench.value('import os\nsorted(int(p) for p in os.listdir("/proc") if p.isdigit())');
    expect(JSON.parse(pids ?? '').length).toBeLessThan(8);
    const code = attempts([
      `os.kill(${process.pid}, 0)`,
      `os.kill(${process.ppid}, 0)`,
      'os.kill(-1, 0)',
      'os.kill(1, 9) or os.kill(1, 9) or os.stat("/nowhere")',
      'open("/proc/1/environ", "rb").read()',
      'open("/proc/1/maps").read(1)',
      'os.listdir("/proc/1/fd")',
      'ctypes.CDLL(None, use_errno=True).ptrace(16, 1, 0, 0) == 0 or 1/0',
      'resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))',
    ]);
    expect(await bench.value(code)).toBe('[]');
    expect(await bench.value('1 + 1')).toBe('2');
  });

  test('6 the environment is made from a list, descriptors are not inherited, standard input is empty', async () => {
    process.env.FATHOM_PROMISE_KEY = 'sesame-0815';
    try {
      const repl = await bench.open();
      const names = 'import os\nsorted(os.environ)';
      const found = (await repl.execute({ code: names, handle: 't1.0' })).value ?? '';
      expect(found.replaceAll("'", '"')).toBe(
        JSON.stringify(['HOME', 'LANG', 'LOGNAME', 'MPLBACKEND', 'PATH', 'SHELL', 'TERM', 'TMPDIR', ...(process.env.TZ ? ['TZ'] : []), 'USER']).replaceAll(',', ', '), // biome-ignore format: a list
      );
      const sweep =
        'found = [p for p in os.listdir("/proc") if p.isdigit() and b"sesame-0815" in (open(f"/proc/{p}/environ", "rb").read() if os.access(f"/proc/{p}/environ", os.R_OK) else b"")]\nfound';
      expect((await repl.execute({ code: sweep, handle: 't1.0' })).value).toBe('[]');
      const fds =
        'links = [os.readlink(f"/proc/self/fd/{f}") for f in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{f}")]\nsorted({l.split(":")[0] for l in links} - {"/dev/null", "pipe", "socket", "anon_inode"})';
      expect((await repl.execute({ code: fds, handle: 't1.0' })).value).toBe('[]');
      const stdin =
        'import sys\nsys.stdin.read(), os.read(0, 10), __import__("subprocess").run("cat", capture_output=True).stdout';
      expect((await repl.execute({ code: stdin, handle: 't1.0' })).value).toBe("('', b'', b'')");
      expect((await repl.execute({ code: 'os.getcwd()', handle: 't1.0' })).value).toBe("'/work'");
    } finally {
      delete process.env.FATHOM_PROMISE_KEY;
    }
  });

  test('7 no capability, no way to one, and the system calls that lead out are refused', async () => {
    const status = await bench.value(
      '{k: v.strip() for k, _, v in (l.partition(":") for l in open("/proc/self/status")) if k in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}',
    );
    expect(status?.replaceAll("'", '"')).toBe(
      '{"CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapBnd": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}',
    );
    const calls = { unshare: [272, 97, 0x10000000], mount: [165, 40, 0], pivot_root: [155, 41, 0], setns: [308, 268, 0], ptrace: [101, 117, 0], process_vm_readv: [310, 270, 1], bpf: [321, 280, 0], io_uring_setup: [425, 425, 1], keyctl: [250, 219, 0], userfaultfd: [323, 282, 0], perf_event_open: [298, 241, 0], open_by_handle_at: [304, 265, 0], semget: [64, 190, 0], msgget: [68, 186, 0], kexec_load: [246, 104, 0], init_module: [175, 105, 0], clock_settime: [227, 112, 0], chroot: [161, 51, 0], personality: [135, 92, 0xffffffff] }; // biome-ignore format: a table
    const column = process.arch === 'arm64' ? 1 : 0;
    const lines = Object.values(calls).map(
      (row) =>
        `l = ctypes.CDLL(None, use_errno=True); l.syscall(${row[column]}, ctypes.c_long(${row[2]}), 0, 0, 0, 0) >= 0 or ctypes.get_errno() != 1 or 1/0`,
    );
    expect(await bench.value(attempts(lines))).toBe('[]');
    const clone =
      'ctypes.CDLL(None, use_errno=True).syscall(56 if os.uname().machine == "x86_64" else 220, ctypes.c_long(0x10000011), 0, 0, 0, 0)';
    expect(await bench.value(`import ctypes, os\n${clone}`)).toBe('-1');
    expect((await bash('su -c id; sudo id; mount -t tmpfs x /tmp; unshare -r id')).exitCode).not.toBe(0);
  });

  test('8 limits cannot be raised', async () => {
    const names = ['DATA', 'AS', 'NPROC', 'FSIZE', 'NOFILE', 'CORE'].map((name) => `resource.RLIMIT_${name}`);
    const lines = names.map(
      (name) => `hard = resource.getrlimit(${name})[1]; resource.setrlimit(${name}, (hard + 1, hard + 1))`,
    );
    expect(await bench.value(attempts(lines))).toBe('[]');
    expect((await bash('ulimit -u 100000; ulimit -d unlimited')).exitCode).not.toBe(0);
  });

  test('9 no process holds more than memoryBytes; asking for more is an error or ends the process', async () => {
    const repl = await bench.open({ memoryBytes: 200 * 1024 * 1024 });
    for (const code of [
      '"x" * 10**11',
      'bytearray(10**9)',
      '[0] * 10**9',
      'import mmap; mmap.mmap(-1, 10**9, flags=mmap.MAP_PRIVATE)',
    ]) {
      const { ok, error } = await repl.execute({ code, handle: 't1.0' });
      expect([ok, error?.type]).toEqual([false, expect.stringMatching(/MemoryError|OSError/)]);
    }
    expect((await repl.execute({ code: '1', handle: 't1.0' })).value).toBe('1');
  });

  test('9 … and the processes of a REPL hold no more than that together', async () => {
    const repl = await bench.open({ memoryBytes: 300 * 1024 * 1024 });
    const code =
      'import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        hoard = bytearray(150_000_000)\n        time.sleep(30)\n        os._exit(0)\ntime.sleep(30)';
    const outcome = await repl.execute({ code, handle: 't1.0' });
    expect(outcome.error?.message).toMatch(/held \d+ bytes of memory, and the limit is 314572800/);
    expect(outcome.restarted?.lost).toContain('as they were before this cell');
    expect((await repl.execute({ code: '1 + 1', handle: 't1.0' })).value).toBe('2');
    const sockets =
      'import os, socket, time\nfor _ in range(3):\n    if os.fork() == 0: break\nheld = [socket.socketpair() for _ in range(400)]\ntime.sleep(30)';
    const full = await repl.execute({ code: sockets, handle: 't1.0' });
    expect(full.error?.message).toMatch(/held \d+ bytes of memory/);
    for (const shared of ['mmap.mmap(-1, 10**9)', 'mmap.mmap(os.open("/dev/zero", os.O_RDWR), 10**9)']) {
      const { error } = await repl.execute({ code: `import mmap, os\n${shared}`, handle: 't1.0' });
      expect(error?.type).toMatch(/PermissionError|OSError/);
    }
    const zeros = 'open("/dev/zero", "rb").read(5)';
    expect((await repl.execute({ code: zeros, handle: 't1.0' })).value).toBe(String.raw`b'\x00\x00\x00\x00\x00'`);
  });

  test('10 no more than maxProcesses run, and threads have a limit of their own', async () => {
    const repl = await bench.open({ maxProcesses: 8 });
    const run = (code: string) => repl.execute({ code, handle: 't1.0' });
    await run('kept = 1');
    const children = (count: number) =>
      `import os, time\nmade = []\nfor _ in range(${count}):\n    pid = os.fork()\n    if pid == 0:\n        time.sleep(60); os._exit(0)\n    made.append(pid)\ntime.sleep(0.5)\nfor pid in made: os.kill(pid, 9); os.waitpid(pid, 0)\nlen(made)`;
    expect((await run(children(7))).value).toBe('7');
    const tooMany = await run(children(8));
    expect(tooMany.error?.message).toMatch(/it had 9 processes, and the limit is 8 \(maxProcesses\)/);
    expect(tooMany.restarted?.lost).toBe('variables and files are as they were before this cell');
    const bomb = await run('import os\nwhile True:\n    try: os.fork()\n    except OSError: pass');
    expect(bomb.error?.message).toMatch(/it had \d+ processes, and the limit is 8 \(maxProcesses\)/);
    const threads =
      'import threading, time\nmade = []\nhold = threading.Event()\ntry:\n    for _ in range(1000):\n        t = threading.Thread(target=hold.wait); t.start(); made.append(t)\nexcept RuntimeError as e: reason = str(e)\nhold.set()\nfor t in made: t.join()\nreason, 100 < len(made) < 210, kept';
    expect((await run(threads)).value).toBe(`("can't start new thread", True, 1)`);
  });

  test('11 REPLs of one backend see neither the files nor the processes of each other', async () => {
    const [one, two] = [await bench.open(), await bench.open()];
    const write =
      'import os\nfor f in ("/work", "/tmp", "/home/repl", "/dev/shm"): open(f + "/mine", "w").write("1")\nos.getpid()';
    await one.execute({ code: write, handle: 't1.0' });
    const look =
      'import os\n[f for f in ("/work", "/tmp", "/home/repl", "/dev/shm") if os.listdir(f)], len([p for p in os.listdir("/proc") if p.isdigit()]) < 6';
    expect((await two.execute({ code: look, handle: 't1.0' })).value).toBe('([], True)');
  });

  test('12 installed packages of the interpreter can be imported and not be changed', async () => {
    const code = 'import sys, os\nimport pip\nos.access(os.path.dirname(pip.__file__), os.W_OK)';
    const { value, error } = await bench.run(code);
    if (error?.type === 'ModuleNotFoundError') return;
    expect([error, value]).toEqual([null, 'False']);
  });

  test('13 device files, pipes and links do not hold up or mislead the runtime', async () => {
    const repl = await bench.open();
    const run = (code: string) => repl.execute({ code, handle: 't1.0' });
    await run(
      'import os\nos.mkfifo("/tmp/pipe")\nos.symlink("/proc/1/environ", "/tmp/env")\nos.symlink("/dev/zero", "/work/zero")\nos.symlink("..", "/work/up")\nos.makedirs("/tmp/" + "d/" * 50)\nopen("/tmp/plain", "w").write("kept")',
    );
    await repl.snapshot('odd');
    await run(
      'import shutil\nshutil.rmtree("/tmp/d"); os.remove("/tmp/plain"); os.remove("/tmp/pipe"); os.remove("/work/up")',
    );
    await repl.rollback('odd');
    const look =
      'import stat\n[stat.S_ISFIFO(os.lstat("/tmp/pipe").st_mode), os.readlink("/tmp/env"), os.readlink("/work/zero"), os.readlink("/work/up"), os.path.isdir("/tmp/" + "d/" * 50), open("/tmp/plain").read()]';
    expect((await run(look)).value).toBe("[True, '/proc/1/environ', '/dev/zero', '..', True, 'kept']");
    expect(
      (
        await run(
          'try: os.mknod("/tmp/dev", 0o600 | stat.S_IFBLK, os.makedev(8, 0)); made = True\nexcept OSError: made = False\nmade',
        )
      ).value,
    ).toBe('False');
  });

  test('13 … nor do folders deeper than a path can name', async () => {
    const repl = await bench.open();
    const run = (code: string) => repl.execute({ code, handle: 't1.0' });
    await run('x = 1\nopen("/tmp/plain", "w").write("kept")');
    const nest =
      'import os\nat = os.open("/tmp", os.O_RDONLY)\nfor _ in range(1500):\n    os.mkdir("d", dir_fd=at)\n    inner = os.open("d", os.O_RDONLY, dir_fd=at)\n    os.close(at)\n    at = inner\nos._exit(1)';
    expect((await run(nest)).restarted?.lost).toBe('variables and files are as they were before this cell');
    expect((await run('import os\nx, os.listdir("/tmp")')).value).toBe("(1, ['plain'])");
  });

  test('14 the proof at start says so, and a backend that cannot prove the level asked for refuses', async () => {
    const backend = pythonBackend(options);
    try {
      const report = await backend.prove();
      expect(report.level).toBe('namespace');
      const { files, writes, network, processes, signals, privileges } = report.findings;
      expect([files, writes, network, processes, signals, privileges].flat()).toEqual([]);
      await expect(
        backend.open({ limits: DEFAULT_LIMITS as never, host: bench.host, least: 'vm' }),
      ).rejects.toMatchObject({ code: 'isolation-unavailable' });
    } finally {
      await backend.close();
    }
  });

  test('each of these promises is in docs/isolation-python.md', async () => {
    const text = await readFile(new URL('../../../docs/isolation-python.md', import.meta.url), 'utf8');
    for (let number = 1; number <= 14; number += 1) expect(text).toMatch(new RegExp(`^${number}\\. `, 'm'));
  });
}
