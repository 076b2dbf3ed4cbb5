/** Backends and REPLs for this folder's tests; another Node by FATHOM_TEST_NODE. @module */

import { defined } from '../../defined.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { OpenReplOptions, Repl, ReplBackend, ReplHost, ReplLimits } from '../port.ts';
import { createBackend, type InternalOptions, type PyodideBackend } from './backend.ts';

/** A backend as tests want it. */
export function testBackend(options: InternalOptions = {}): PyodideBackend {
  const node = process.env.FATHOM_TEST_NODE;
  return createBackend({ ...defined({ node }), ...options });
}

const unasked = (): never => {
  throw new Error('this test asks for nothing');
};
const host: ReplHost = {
  subCall: unasked,
  callTool: unasked,
  checkAnswer: unasked,
  readHistory: unasked,
  readProjection: unasked,
};

/** A REPL whose cells ask for nothing. */
export function openTestRepl(
  backend: ReplBackend,
  limits: Partial<ReplLimits> = {},
  options: Pick<OpenReplOptions, 'onPreparing'> = {},
): Promise<Repl> {
  return backend.open({ limits: { ...DEFAULT_LIMITS, callWindow: 8, ...limits }, host, least: 'process', ...options });
}
