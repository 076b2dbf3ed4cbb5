import { RlmError } from '../../errors.ts';
import { createOpeningGate } from '../opening-gate.ts';
import { type OpenReplOptions, type Repl, type ReplBackend, wasKilled } from '../port.ts';
import { findInterpreter } from './interpreter.ts';
import { type IsolationReport, proveIsolation, reaches } from './isolation.ts';
import { keepAliveWhileBusy, keepingAlive } from './keep-alive.ts';
import { openPythonRepl } from './python-repl.ts';
import { refusalWords } from './refusals.ts';
import { createSources, type Sources } from './sources.ts';
import { type BoxMode, startZygote, type ZygoteProcess } from './zygote-process.ts';

/** Options of {@link pythonBackend}. */
export interface PythonBackendOptions {
  /** The interpreter: a path or a name on the PATH. Default: the first fit one on the PATH. */
  readonly python?: string;
  /** Further environment variables for cells. Nothing of the host's own is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ways into the box to try, strongest first. Default: all. */
  readonly modes?: readonly BoxMode[];
}

/** A backend whose REPLs are forks of one Python process. */
export interface PythonBackend extends ReplBackend {
  readonly name: 'python';
  /** Starts the zygote and gives its proof of isolation. `open` does so by itself. */
  prove(): Promise<IsolationReport>;
}

interface Started {
  readonly zygote: ZygoteProcess;
  readonly sources: Sources;
  readonly report: IsolationReport;
}

/**
 * The fast backend: the machine's own CPython (3.10 or later) on Linux, in a box of its own making. The zygote starts
 * with the first REPL; every REPL is a fork of it.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', repl: pythonBackend({ python: '/opt/venv/bin/python' }) });
 * ```
 */
export function pythonBackend(options: PythonBackendOptions = {}): PythonBackend {
  const repls = new Set<Repl>();
  let starting: Promise<Started> | undefined;
  let closed = false;
  let lastId = 0;
  const gate = createOpeningGate();

  function started(): Promise<Started> {
    if (closed) throw new RlmError({ code: 'repl-failure', message: 'The python backend is closed.' });
    if (starting === undefined) {
      const attempt = start(options);
      starting = attempt;
      const forget = (): void => {
        if (starting === attempt) starting = undefined;
      };
      // A zygote that has ended is replaced when the next REPL is opened.
      attempt.then(({ zygote }) => zygote.ended.then(forget), forget);
    }
    return starting;
  }

  async function openRepl(open: OpenReplOptions): Promise<Repl> {
    const first = await started();
    try {
      return await openOn(first, open);
    } catch (error) {
      if (!wasKilled(error)) throw error;
    }
    // A REPL that was killed while it opened has lost no state: try again. The second time its zygote has gone as well.
    try {
      return await openOn(first, open);
    } catch (error) {
      if (!wasKilled(error)) throw error;
      await first.zygote.close();
    }
    return await openOn(await started(), open);
  }

  async function openOn({ zygote, sources, report }: Started, open: OpenReplOptions): Promise<Repl> {
    if (!reaches(report.level, open.least)) throw tooWeak(report, open.least);
    open.signal?.throwIfAborted();
    const nextId = (): number => {
      lastId += 1;
      return lastId;
    };
    const repl = keepAliveWhileBusy(
      await openPythonRepl({ zygote, sources, isolation: report.level, open, nextId }),
      () => repls.delete(repl),
    );
    repls.add(repl);
    if (open.signal?.aborted === true) {
      await repl.close();
      open.signal.throwIfAborted();
    }
    return repl;
  }

  return {
    name: 'python',
    prove: () => keepingAlive(async () => (await started()).report),
    open: (open) => keepingAlive(() => gate(() => openRepl(open), open.signal)),
    close: () =>
      keepingAlive(async () => {
        closed = true;
        await Promise.all([...repls].map((repl) => repl.close()));
        const running = await starting?.catch(() => undefined);
        await running?.zygote.close();
      }),
  };
}

async function start(options: PythonBackendOptions): Promise<Started> {
  if (process.platform !== 'linux') {
    throw new RlmError({
      code: 'isolation-unavailable',
      message: `The python backend runs on Linux only, and this is ${process.platform}. Use repl: 'pyodide'.`,
      userAction: true,
    });
  }
  const { python, ...rest } = options;
  const interpreter = await findInterpreter(python);
  const zygote = await startZygote({ interpreter, ...rest });
  try {
    const sources = createSources(zygote);
    zygote.onMessage = (message) => sources.onMessage(message);
    return { zygote, sources, report: await proveIsolation(zygote, interpreter) };
  } catch (error) {
    await zygote.close();
    throw error;
  }
}

function tooWeak(report: IsolationReport, least: string): RlmError {
  const refused = refusalWords(report.refused);
  const why = [...(refused === '' ? [] : [`this machine refuses ${refused}`]), ...report.short].join('; ');
  const other = least === 'vm' ? 'No REPL of this version has it:' : "Use repl: 'pyodide', or";
  return new RlmError({
    code: 'isolation-unavailable',
    message: `Python REPLs reach the isolation level ${report.level} here, and ${least} is asked for${why === '' ? '' : ` (${why})`}. ${other} accept less by isolation: '${report.level}'.`,
    userAction: true,
    data: { level: report.level, least, findings: report.findings },
  });
}
