/**
 * `fathom doctor`: tries this machine's REPLs and providers, and gives advice for each that is missing.
 *
 * @module
 */

import { probePyodide } from '../../repl/pyodide/index.ts';
import { probePython } from '../../repl/python/probe.ts';
import { EXIT } from '../exit-codes.ts';
import { readConfig } from '../options/config.ts';
import { type Console, colorsFor, isInteractive } from '../screen/console.ts';
import { columnsOf, lastColumns } from '../screen/layout.ts';
import { writeJson } from '../screen/terminal-text.ts';
import { VERSION } from '../versions.ts';
import { pyodideFinding, pythonFinding } from './backends.ts';
import { type Finding, type Section, sectionLines } from './findings.ts';
import { lookAtBubblewrap, lookAtNode } from './machine.ts';
import { answers, lookAtDefaultModel, lookAtProviders } from './providers.ts';
import { windowsOf } from './windows.ts';

/** Looks, prints, and resolves with the exit code: 0 when some REPL can be used here. */
export async function doctor({
  json,
  console,
}: {
  readonly json: boolean;
  readonly console: Console;
}): Promise<number> {
  const { stdout, env } = console;
  const page = { stream: stdout, colors: colorsFor(stdout, env) };
  const sections: Section[] = [];
  // Each section as soon as it is known: the REPLs take seconds, and a first start prepares the embedded one.
  const add = (section: Section): void => {
    sections.push(section);
    if (!json) stdout.write(`${sectionLines(section, page).join('\n')}\n`);
  };
  if (!json) stdout.write(`fathom ${VERSION}\n`);
  add({ title: 'Machine', findings: [lookAtNode(), await lookAtBubblewrap()] });
  // One after the other: both measure time.
  const pyodide = pyodideFinding(await whileSaying(console, TRYING_PYODIDE, probePyodide));
  const python = pythonFinding(await whileSaying(console, 'trying the native REPL …', probePython));
  add({ title: 'REPLs', findings: [pyodide, python] });
  add({ title: 'Models', findings: await whileSaying(console, 'looking for models …', () => lookAtModels(env)) });
  const usable = [pyodide, python].some((finding) => finding.state !== 'missing');
  if (json) writeJson(stdout, { version: VERSION, usable, sections });
  return usable ? EXIT.answered : EXIT.setup;
}

const TRYING_PYODIDE = 'trying the embedded REPL; the first time on a machine takes longer …';

/** Shows a line on a terminal while `work` runs. */
async function whileSaying<T>({ stderr, env }: Console, line: string, work: () => Promise<T>): Promise<T> {
  if (!isInteractive(stderr, env)) return await work();
  stderr.write(lastColumns(line, columnsOf(stderr) - 1));
  try {
    return await work();
  } finally {
    stderr.write('\r\u001b[2K');
  }
}

async function lookAtModels(env: Console['env']): Promise<readonly Finding[]> {
  const byDefault = await lookAtDefaultModel(env, readConfig(env), windowsOf);
  return [byDefault, ...(await lookAtProviders({ env, answers, windows: windowsOf }))];
}
