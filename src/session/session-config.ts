import { checkOwner } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { RunOwner } from '../store/index.ts';
import type { ToolSet } from '../tools/toolbox.ts';
import { DEFAULT_EXTENSIONS, DEFAULT_LIFETIME_MS, LONGEST_LIFETIME_MS } from './limits.ts';
import type { SessionOptions } from './session.ts';

/** How long a session lives and what its commands may use. */
export interface SessionConfig {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly extensions: number;
  readonly extensionMs: number;
  readonly maxExtensions: number;
  readonly limits: Partial<Limits>;
  readonly tools: ToolSet | undefined;
  readonly owner: RunOwner | undefined;
}

/** @throws RlmError `invalid-limit` */
export function sessionConfig(options: SessionOptions, now: number): SessionConfig {
  checkOwner(options.owner);
  const lifetimeMs = duration('lifetimeMs', options.lifetimeMs ?? DEFAULT_LIFETIME_MS);
  return {
    createdAt: now,
    expiresAt: now + lifetimeMs,
    extensions: 0,
    extensionMs: duration('extensionMs', options.extensionMs ?? DEFAULT_LIFETIME_MS),
    maxExtensions: count('maxExtensions', options.maxExtensions ?? DEFAULT_EXTENSIONS),
    limits: options.limits ?? {},
    tools: options.tools,
    owner: options.owner,
  };
}

/** How far a session is extended, and how much it may be. */
export interface Extension {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly extensions: number;
}

/** A session's time after one more extension. @throws RlmError `extension-limit` */
export function extended(
  id: string,
  { expiresAt, extensions }: Extension,
  { extensionMs, maxExtensions }: Pick<SessionConfig, 'extensionMs' | 'maxExtensions'>,
): Extension {
  if (extensions < maxExtensions) return { expiresAt: expiresAt + extensionMs, extensions: extensions + 1 };
  throw new RlmError({
    code: 'extension-limit',
    message: `Session ${id} was extended ${extensions} times, and at most ${maxExtensions} (maxExtensions) are allowed.`,
    data: { extensions, limit: maxExtensions },
  });
}

function duration(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= LONGEST_LIFETIME_MS) return value;
  throw invalid(name, value, 'milliseconds above 0, and no more than a hundred years');
}

function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(name, value, 'a whole number from 0');
}

function invalid(name: string, value: number, wanted: string): RlmError {
  return new RlmError({
    code: 'invalid-limit',
    message: `The session's ${name} = ${String(value)} is not valid: give ${wanted}.`,
    userAction: true,
    data: { limit: name },
  });
}
