/** The parts of the WebAssembly API that the worker uses; @types/node does not declare them. */
declare namespace WebAssembly {
  class Module {
    private constructor();
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Instance {
    private constructor();
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    private constructor();
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    private constructor();
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value: unknown): void;
  }
  const RuntimeError: ErrorConstructor;
  const Exception: unknown;
  const Tag: unknown;
  function compile(source: ArrayBufferView | ArrayBuffer): Promise<Module>;
  function instantiate(source: unknown, imports?: unknown): Promise<unknown>;
}
