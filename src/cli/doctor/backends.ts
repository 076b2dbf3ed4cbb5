import type { IsolationLevel } from '../../repl/port.ts';
import type { Proof, PyodideProbe } from '../../repl/pyodide/index.ts';
import { type IsolationFindings, provesFullIsolation } from '../../repl/python/isolation.ts';
import type { PythonProbe } from '../../repl/python/probe.ts';
import { refusalWords } from '../../repl/python/refusals.ts';
import { duration } from '../screen/figures.ts';
import type { Finding } from './findings.ts';

/** The embedded REPL, from its own probe. */
export function pyodideFinding(probe: PyodideProbe): Finding {
  const name = 'pyodide';
  if (!probe.available) {
    return { name, state: 'missing', summary: probe.reason, details: [], advice: 'install the package again' };
  }
  const { isolation, timings } = probe;
  return {
    name,
    state: 'ok',
    summary: `CPython ${probe.pythonVersion} in WebAssembly (Pyodide ${probe.pyodideVersion}), isolation ${isolation.level}`,
    details: [
      ...isolation.proofs.map((proof) => `proof: ${attemptWords(proof)}`),
      ...(isolation.refused === undefined ? [] : [`no namespaces: ${isolation.refused}`]),
      `started and proved in ${duration(timings.startMs)} (proof ${duration(timings.proofMs)}), a warm REPL in ${duration(timings.openMs)}`,
      `base snapshot in ${probe.cache.path}`,
      ...(probe.cache.refused === undefined
        ? []
        : [`it is made again by each process, because the usual folder is not used: ${probe.cache.refused}`]),
    ],
    ...(isolation.level === 'process' && process.platform === 'linux'
      ? { advice: 'with bubblewrap and user namespaces it reaches isolation namespace' }
      : {}),
  };
}

function attemptWords({ from, reached }: Proof): string {
  const attempts = Object.entries(reached);
  const out = attempts.filter(([, success]) => success).map(([attempt]) => attempt);
  const tried = `tried ${attempts.map(([attempt]) => attempt).join(', ')} from ${from === 'python' ? 'a cell' : "the process's own JavaScript"}`;
  return out.length === 0 ? `${tried}: nothing of the host is reached` : `${tried}: REACHED ${out.join(', ')}`;
}

/** The native REPL, from its own probe. */
export function pythonFinding(probe: PythonProbe): Finding {
  if (!probe.available) {
    return {
      name: 'python',
      state: 'missing',
      summary: probe.reason,
      details: [],
      advice: 'optional: on Linux, install CPython 3.10 or later for the fast REPL; the embedded one is used instead',
    };
  }
  const { interpreter, isolation, timings } = probe;
  const full = provesFullIsolation(isolation);
  return {
    name: 'python',
    state: full ? 'ok' : 'partly',
    summary: `CPython ${interpreter.version}, isolation ${isolation.level} (${isolation.mode})`,
    details: [
      `proof: ${proofWords(isolation.findings)}`,
      ...(isolation.refused.length === 0 ? [] : [`refused by this machine: ${refusalWords(isolation.refused)}`]),
      ...isolation.short.map((missing) => `without: ${missing}`),
      `found in ${duration(timings.findMs)}, started and proved in ${duration(timings.startMs)} (proof ${duration(timings.proofMs)})`,
      `packages: ${interpreter.packages.length === 0 ? 'none worth naming' : interpreter.packages.join(', ')}`,
    ],
    ...(full
      ? {}
      : { advice: `--repl auto does not take it, because its isolation is not full; ${howTo(isolation.level)} does` }),
  };
}

/** The options that take the native REPL at its level: `process` is the least that a run accepts by default. */
function howTo(level: IsolationLevel): string {
  return level === 'none' ? '--repl python --isolation none' : '--repl python';
}

function proofWords(findings: IsolationFindings): string {
  const tried = Object.entries<readonly string[]>({ ...findings }).filter(
    ([name]) => name !== 'environment' && name !== 'descriptors',
  );
  const out = tried.filter(([, reached]) => reached.length > 0);
  if (out.length === 0)
    return `tried ${tried.map(([name]) => name).join(', ')} from inside: nothing of the host is reached`;
  return `reached from inside: ${out.map(([name, reached]) => `${name} (${reached.slice(0, 3).join(', ')})`).join('; ')}`;
}
