/**
 * Takes away what the worker's JavaScript does not need once Python is locked in. It stops ready-made payloads after a
 * break-out, not a person: syntax such as `import()` stays. The wall behind it is the process.
 *
 * @module
 */

/** Members of `process` that stay: Node itself calls these when the process ends. */
const PROCESS_KEEPS: ReadonlySet<string> = new Set([
  'env',
  'exit',
  'reallyExit',
  'exitCode',
  '_exiting',
  'emit',
  'on',
  'once',
]);

/**
 * Globals that are removed. Those that just-bash uses stay: Buffer, URL, TextEncoder, AbortController, timers, zlib
 * streams.
 */
const GONE = [
  ...['require', 'module', 'exports', '__filename', '__dirname', 'global', 'navigator', 'Navigator', 'console', 'gc'],
  ...['fetch', 'Request', 'Response', 'Headers', 'FormData', 'Blob', 'File', 'WebSocket', 'EventSource', 'CloseEvent'],
  ...['Worker', 'BroadcastChannel', 'MessageChannel', 'MessagePort', 'MessageEvent', 'SharedArrayBuffer'],
  ...['localStorage', 'sessionStorage', 'Storage', 'CryptoKey', 'Crypto', 'SubtleCrypto', 'Performance'],
  ...['PerformanceObserver', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure', 'eval'],
  ...[
    'structuredClone',
    'CustomEvent',
    'PerformanceResourceTiming',
    'PerformanceObserverEntryList',
    'quotaExceededError',
  ],
] as const;

const CONSOLE = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;

/** Strips the globals. Returns the names that could not be removed. */
export function harden(): string[] {
  const left: string[] = [];
  const host = globalThis as Record<string, unknown>;
  const { RuntimeError, Exception, Tag } = WebAssembly;
  const now = performance.now.bind(performance);
  const getRandomValues = crypto.getRandomValues.bind(crypto);

  // Node's own module loader reads these when just-bash is loaded.
  fix(process, 'env', {});
  for (const key of Reflect.ownKeys(process)) {
    if (typeof key === 'string' && !PROCESS_KEEPS.has(key)) remove(process, key, left, 'process.');
  }
  // Inherited from Process.prototype's chain on some versions.
  for (const key of ['binding', 'getBuiltinModule', 'kill', 'dlopen', 'argv', 'execve']) {
    if (key in process) remove(process, key, left, 'process.');
  }
  for (const key of GONE) remove(host, key, left, '');
  fix(host, 'performance', { now });
  fix(host, 'crypto', { getRandomValues });
  // just-bash looks for a console when it is loaded.
  fix(host, 'console', Object.fromEntries(CONSOLE.map((name) => [name, () => {}])));
  // Without compile and instantiate: no side module, and no way to feed the engine's compiler.
  fix(host, 'WebAssembly', { RuntimeError, Exception, Tag, Memory: class {}, Global: class {} });
  fix(host, 'process', { exitCode: 0, env: Object.freeze({}), platform: 'linux', version: '', versions: {} });
  return left;
}

function remove(owner: object, key: string, left: string[], prefix: string): void {
  try {
    if (!(key in owner)) return;
    Reflect.deleteProperty(owner, key);
    if (key in owner) Object.defineProperty(owner, key, { value: undefined, writable: false, configurable: false });
  } catch {
    left.push(prefix + key);
  }
}

function fix(owner: object, key: string, value: object): void {
  Object.defineProperty(owner, key, {
    value: Object.freeze(Object.assign(Object.create(null), value)),
    writable: false,
    configurable: false,
    enumerable: false,
  });
}
