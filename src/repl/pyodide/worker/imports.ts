/**
 * The import list of Pyodide 314.0.7's WASM module, sorted by what stays open once the gate is locked. Everything the
 * guest can do outside of its own memory goes through one of these functions. A name that is not here is shut; a test
 * fails when the module's list differs from the one reviewed.
 *
 * @module
 */

/** The Pyodide release these lists were reviewed for; the worker refuses any other. */
export const PYODIDE_VERSION = '314.0.7';

/** Functions of the WASM module's import object, `env` and `wasi_snapshot_preview1` alike: pass on as they are. */
export const PASS: readonly string[] = [
  // Files: emscripten's in-memory file system only; NODEFS is never mounted.
  'fd_close',
  'fd_read',
  'fd_write',
  'fd_seek',
  'fd_pread',
  'fd_pwrite',
  'fd_sync',
  'fd_fdstat_get',
  '__syscall_openat',
  '__syscall_faccessat',
  '__syscall_chdir',
  '__syscall_fchdir',
  '__syscall_chmod',
  '__syscall_fchmod',
  '__syscall_fchmodat2',
  '__syscall_fchownat',
  '__syscall_fchown32',
  '__syscall_fstat64',
  '__syscall_stat64',
  '__syscall_lstat64',
  '__syscall_newfstatat',
  '__syscall_ftruncate64',
  '__syscall_truncate64',
  '__syscall_getcwd',
  '__syscall_getdents64',
  '__syscall_mkdirat',
  '__syscall_readlinkat',
  '__syscall_unlinkat',
  '__syscall_rmdir',
  '__syscall_renameat',
  '__syscall_symlinkat',
  '__syscall_statfs64',
  '__syscall_fstatfs64',
  '__syscall_utimensat',
  '__syscall_fdatasync',
  '__syscall_dup',
  '__syscall_dup3',
  '__syscall_fcntl64',
  '__syscall_ioctl',
  '__syscall_pipe',
  '__syscall_fadvise64',
  '__syscall_fallocate',
  '__syscall_poll',
  '_try_fcntl64',
  '_maybe_poll_async',
  '_mmap_js',
  '_munmap_js',
  '_msync_js',
  // Clocks and time zones (the worker's zone is UTC).
  'clock_res_get',
  'clock_time_get',
  'emscripten_get_now',
  'emscripten_date_now',
  '_tzset_js',
  '_timegm_js',
  '_mktime_js',
  '_localtime_js',
  '_gmtime_js',
  // Random bytes, the emulated environment, the size of memory.
  'random_get',
  'environ_get',
  'environ_sizes_get',
  'emscripten_get_heap_max',
  // The program's name, fixed at boot.
  '_emscripten_get_progname',
  // Calls through the function table, which holds no JavaScript any more. Its counterpart for calls with the wrong
  // signature, _PyEM_TrampolineCall_JS, is not needed: every supported Node compiles the trampoline written in WASM.
  '__call_sighandler',
  // Looks at a reference without following it.
  'JsvError_Check',
  'JsvError_Throw',
  'can_run_sync_js',
  'emscripten_runtime_keepalive_push',
  'emscripten_runtime_keepalive_pop',
  '_emscripten_runtime_keepalive_clear',
];

/** errno values of the WASI numbering, which emscripten uses. */
export const ERRNO = { EAGAIN: 6, EINTR: 27, EMSGSIZE: 35, ENOSPC: 51, ENOSYS: 52, EPERM: 63, ESPIPE: 70 } as const;

/**
 * Functions that get a fixed answer, because ordinary library code calls them and must see an error rather than lose
 * its REPL: no sockets, no names, no processes, no timers, no devices.
 */
export const ANSWER: ReadonlyMap<string, number> = new Map([
  ['_emscripten_system', -ERRNO.ENOSYS],
  ...[
    '__syscall_accept4',
    '__syscall_bind',
    '__syscall_connect',
    '__syscall_getpeername',
    '__syscall_getsockname',
    '__syscall_getsockopt',
    '__syscall_listen',
    '__syscall_recvfrom',
    '__syscall_recvmsg',
    '__syscall_sendmsg',
    '__syscall_sendto',
    '__syscall_socket',
    '_try_shutdown',
  ].map((name): [string, number] => [name, -ERRNO.ENOSYS]),
  // EAI_FAIL, seen as socket.gaierror.
  ['getaddrinfo', -4],
  ['getnameinfo', -4],
  ['getprotobyname', 0],
  ['_emscripten_lookup_name', 0],
  // A device node would give no access, but there is no use for one either.
  ['__syscall_mknodat', -ERRNO.EPERM],
  // setTimeout callbacks would call into a heap that may have been rolled back.
  ['_setitimer_js', -1],
  ['__syscall_getuid32_js', 1000],
]);

/** Functions replaced by the worker's own (gate.ts). */
export const REPLACED = ['emscripten_resize_heap', '_Py_CheckEmscriptenSignals_Helper', '__syscall_umask_js'] as const;
/** One of {@link REPLACED}. */
export type ReplacedImport = (typeof REPLACED)[number];
