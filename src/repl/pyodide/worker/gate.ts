/**
 * The WASM import gate. The interpreter's only way out of its memory is its import list; after boot everything but the
 * reviewed names throws, and the worker dies of it.
 *
 * @module
 */
import { ANSWER, PASS, REPLACED, type ReplacedImport } from './imports.ts';

type AnyFunction = (...args: unknown[]) => unknown;
type ImportObject = Record<string, Record<string, unknown>>;

/** The worker's replacement of an import, made from the original. */
export type Replacements = Readonly<Record<ReplacedImport, (original: AnyFunction) => (...args: number[]) => number>>;

/** How the gate is built. */
export interface GateOptions {
  readonly replacements: Replacements;
  /**
   * Called when the guest reaches for an import that is shut; must end the process, because an exception would leave
   * the interpreter in an undefined state.
   */
  readonly onDenied: (name: string) => never;
  /** Bytes of the base snapshot, so that memory is large enough to take it (pyodide issue 6254); 0 when baking. */
  readonly baseBytes: number;
  /** Test switch: leave every import open. */
  readonly open: boolean;
}

/** The gate of this process. */
export interface Gate {
  /** From now on only reviewed imports work. There is no way back. */
  lock(): void;
  readonly locked: boolean;
  /** The interpreter's instance, once it was made. */
  readonly instance: WebAssembly.Instance | undefined;
  /** How many functions the module imports: table entries with a smaller index are imported. */
  readonly importedFunctions: number;
  /** How many entries its table has by the module itself: entries that emscripten adds come after them. */
  readonly ownEntries: number;
}

interface GateState {
  locked: boolean;
  instance: WebAssembly.Instance | undefined;
  importedFunctions: number;
  ownEntries: number;
}

/** Pyodide makes a few tiny modules of its own as well; the interpreter is the large one. */
const MAIN_MODULE_BYTES = 1_000_000;
const WASM_PAGE = 65_536;

/** Puts the gate between Pyodide's loader and the engine. Must run before Pyodide is imported. */
export function installGate(options: GateOptions): Gate {
  const state: GateState = { locked: false, instance: undefined, importedFunctions: 0, ownEntries: 0 };
  const { compile, instantiate: original } = WebAssembly;
  const instantiate = async (source: Uint8Array | WebAssembly.Module, imports: ImportObject): Promise<unknown> => {
    if (source instanceof WebAssembly.Module || source.byteLength < MAIN_MODULE_BYTES) {
      return await Reflect.apply(original, WebAssembly, [source, imports]);
    }
    const module = await compile(source);
    const guarded = guardImports({ module, imports, state, options });
    const instance = (await Reflect.apply(original, WebAssembly, [module, guarded])) as WebAssembly.Instance;
    state.instance = instance;
    state.ownEntries = tableOf(instance).length;
    growTo(instance, options.baseBytes);
    return { instance, module };
  };
  Object.defineProperty(WebAssembly, 'instantiate', { value: instantiate, writable: true, configurable: true });
  return {
    lock() {
      state.locked = true;
    },
    get locked() {
      return state.locked;
    },
    get instance() {
      return state.instance;
    },
    get importedFunctions() {
      return state.importedFunctions;
    },
    get ownEntries() {
      return state.ownEntries;
    },
  };
}

/**
 * Where the engine has stack switching, Pyodide wraps one import into a `WebAssembly.Suspending` object, which is not a
 * function and would evade any wrapper. Without these it does not.
 */
export function removeStackSwitching(): void {
  for (const name of ['Suspending', 'promising', 'Suspender', 'SuspendError'])
    Reflect.deleteProperty(WebAssembly, name);
}

interface GuardRequest {
  readonly module: WebAssembly.Module;
  readonly imports: ImportObject;
  readonly state: GateState;
  readonly options: GateOptions;
}

/** The import object the module gets: exactly the names it asks for, every function wrapped. */
function guardImports({ module, imports, state, options }: GuardRequest): ImportObject {
  const guarded: ImportObject = Object.create(null);
  for (const wanted of WebAssembly.Module.imports(module)) {
    const given = imports[wanted.module]?.[wanted.name];
    guarded[wanted.module] ??= Object.create(null);
    const namespace = guarded[wanted.module] ?? {};
    if (wanted.kind !== 'function') {
      namespace[wanted.name] = given;
      continue;
    }
    state.importedFunctions += 1;
    // Fail closed: the gate can only guard plain functions.
    if (typeof given !== 'function') throw new Error(`import ${wanted.name} is not a function`);
    const plain = given as AnyFunction;
    namespace[wanted.name] = options.open
      ? plain
      : guardFunction({ name: wanted.name, original: plain, state, options });
  }
  return guarded;
}

const passing: ReadonlySet<string> = new Set(PASS);
const replaced: ReadonlySet<string> = new Set(REPLACED);

function guardFunction(request: {
  readonly name: string;
  readonly original: AnyFunction;
  readonly state: GateState;
  readonly options: GateOptions;
}): AnyFunction {
  const { name, original, state, options } = request;
  if (passing.has(name)) return original;
  if (replaced.has(name)) {
    return options.replacements[name as ReplacedImport](original) as AnyFunction;
  }
  const answer = ANSWER.get(name);
  if (answer !== undefined) return () => answer;
  return (...args) => (state.locked ? options.onDenied(name) : original(...args));
}

/** The table through which functions are called by number. */
export function tableOf(instance: WebAssembly.Instance | undefined): WebAssembly.Table {
  const table = instance?.exports.__indirect_function_table;
  if (!(table instanceof WebAssembly.Table)) throw new Error('the module has no function table');
  return table;
}

function growTo(instance: WebAssembly.Instance, bytes: number): void {
  const memory = instance.exports.memory;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('the module has no memory');
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
}
