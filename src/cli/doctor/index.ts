/**
 * `fathom doctor`: tries this machine's REPLs and providers, and gives advice for each that is missing.
 *
 * @module
 */

import { probePyodide } from '../../repl/pyodide/index.ts';
import { probePython } from '../../repl/python/probe.ts';
import { EXIT } from '../exit-codes.ts';
import { readConfig } from '../options/config.ts';
import { type Console, colorsFor } from '../screen/console.ts';
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
  // One after the other: both measure time.
  const pyodide = pyodideFinding(await probePyodide());
  const python = pythonFinding(await probePython());
  const sections: readonly Section[] = [
    { title: 'Machine', findings: [lookAtNode(), await lookAtBubblewrap()] },
    { title: 'REPLs', findings: [pyodide, python] },
    { title: 'Models', findings: await lookAtModels(env) },
  ];
  const page = { stream: stdout, colors: colorsFor(stdout, env) };
  const usable = [pyodide, python].some((finding) => finding.state !== 'missing');
  if (json) writeJson(stdout, { version: VERSION, usable, sections });
  else stdout.write(`fathom ${VERSION}\n${sections.flatMap((section) => sectionLines(section, page)).join('\n')}\n`);
  return usable ? EXIT.answered : EXIT.setup;
}

async function lookAtModels(env: Console['env']): Promise<readonly Finding[]> {
  const byDefault = await lookAtDefaultModel(env, readConfig(env), windowsOf);
  return [byDefault, ...(await lookAtProviders({ env, answers, windows: windowsOf }))];
}
