import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isObject } from '../../argument-checks.ts';
import { isPrice } from '../../check-rlm-options.ts';
import { setCacheBytes } from '../../convert/conversion-cache.ts';
import { RUN_MODES, type RunMode } from '../../engine/run.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { type Limits, resolveLimits } from '../../limits.ts';
import type { ModelPrice } from '../../model/index.ts';
import { REASONING_EFFORTS, type ReasoningEffort } from '../../model/model-settings.ts';
import type { IsolationLevel } from '../../repl/port.ts';
import { ISOLATION_LEVELS } from '../../repl/port.ts';
import { closestTo } from '../../similar.ts';
import type { Console } from '../screen/console.ts';
import { areMcpServers, type McpServers } from './mcp-servers.ts';

/** The settings of the user's config file. Options and environment variables win over it. */
export interface Config {
  readonly model?: string;
  readonly subModel?: readonly string[];
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  readonly limits?: Partial<Limits>;
  readonly temperature?: number;
  readonly reasoningEffort?: ReasoningEffort;
  readonly subTemperature?: number;
  readonly subReasoningEffort?: ReasoningEffort;
  readonly instructions?: string;
  readonly repl?: 'auto' | 'pyodide' | 'python';
  readonly isolation?: IsolationLevel;
  readonly mode?: RunMode;
  /** Bytes of converted documents that are kept for later runs. */
  readonly cacheBytes?: number;
  /** Servers whose resources `-f mcp:NAME` reads. */
  readonly mcpServers?: McpServers;
}

interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly says: string;
}

const TEXT: Rule = { holds: (value) => typeof value === 'string' && value.trim() !== '', says: 'a text' };
const TEMPERATURE: Rule = { holds: (value) => typeof value === 'number' && value >= 0, says: 'a number from 0' };
const EFFORT = oneOf(REASONING_EFFORTS);

const RULES: Readonly<Record<keyof Config, Rule>> = {
  model: TEXT,
  subModel: {
    holds: (value) => Array.isArray(value) && value.length > 0 && value.every(TEXT.holds),
    says: 'a list of models, per depth from 1',
  },
  prices: {
    holds: (value) => isObject(value) && Object.values(value).every(isPrice),
    says: 'an object of prices by model, each { "input", "output" } in US dollars per million tokens',
  },
  limits: { holds: isObject, says: 'an object of limits, such as { "maxTurns": 20 }' },
  temperature: TEMPERATURE,
  reasoningEffort: EFFORT,
  subTemperature: TEMPERATURE,
  subReasoningEffort: EFFORT,
  instructions: TEXT,
  repl: oneOf(['auto', 'pyodide', 'python']),
  isolation: oneOf(ISOLATION_LEVELS),
  mode: oneOf(RUN_MODES),
  mcpServers: {
    holds: areMcpServers,
    says: 'an object of servers by name, each { "command", "args", "env" } or { "url", "tokenFrom" }; env and tokenFrom are names of environment variables',
  },
  cacheBytes: {
    holds: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0,
    says: 'a whole number of bytes above 0',
  },
};

function oneOf(values: readonly string[]): Rule {
  return { holds: (value) => values.some((one) => one === value), says: `one of ${values.join(', ')}` };
}

/** Names of keys that would hold a secret. */
const SECRET = /key|token|secret|password|auth/i;

/**
 * The user's config file: JSON, data only. It is never looked for in the working directory, which may have come with a
 * project of another person; a relative `XDG_CONFIG_HOME` is ignored, as the XDG specification asks.
 */
export function configPath({ XDG_CONFIG_HOME: xdg, HOME: home }: Console['env']): string {
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home || homedir(), '.config');
  return join(base, 'fathom', 'config.json');
}

/** Reads it; a file that does not exist sets nothing. @throws RlmError `invalid-option` naming the file and the key */
export function readConfig(env: Console['env']): Config {
  const path = configPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (ABSENT.has(String((error as NodeJS.ErrnoException).code))) return {};
    throw invalid(path, `it cannot be read: ${messageOf(error)}`);
  }
  return checked(path, parsed(path, text));
}

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Reads it, and applies what holds for all of this process. @throws RlmError as {@link readConfig} */
export function applyConfig(env: Console['env']): Config {
  const config = readConfig(env);
  if (config.cacheBytes !== undefined) setCacheBytes(config.cacheBytes);
  return config;
}

function parsed(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `it is not JSON (${messageOf(error)})`);
  }
  if (!isObject(value)) throw invalid(path, 'it must hold one JSON object');
  return value;
}

function checked(path: string, value: Readonly<Record<string, unknown>>): Config {
  const names = Object.keys(RULES);
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(RULES, name)) throw invalid(path, unknownKey(name, names));
    const rule = RULES[name as keyof Config];
    if (!rule.holds(given)) throw invalid(path, `"${name}" has to be ${rule.says}`);
  }
  try {
    resolveLimits(value.limits as Partial<Limits> | undefined);
  } catch (error) {
    throw invalid(path, messageOf(error).replace(/\.$/, ''));
  }
  return value as Config;
}

function unknownKey(name: string, names: readonly string[]): string {
  if (SECRET.test(name)) return `"${name}" is not a key of it: secrets are not kept there, set an environment variable`;
  const near = closestTo(name, names);
  return `"${name}" is not a key of it${near === undefined ? '' : `, did you mean "${near}"`}; the keys are ${names.join(', ')}`;
}

function invalid(path: string, why: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The config file ${path} cannot be used: ${why}.`,
    userAction: true,
    data: { path },
  });
}
