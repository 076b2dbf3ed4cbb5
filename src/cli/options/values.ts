/**
 * Parsers of option values. Commander prints their errors together with the option.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander';
import { areHeaders } from '../../check-rlm-options.ts';
import { DEFAULT_LIMITS, type Limits } from '../../limits.ts';
import type { ModelPrice } from '../../model/index.ts';
import { closestTo } from '../../similar.ts';

/** Parses an option that is a whole number. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Parses an option that is a number, with or without a fraction. */
export function amount(text: string): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw new InvalidArgumentError('It must be a number such as 2 or 0.5.');
  return Number(text);
}

/** A parser for an option that may be given several times. */
export function each<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}

/** A value for one model, or for the root model. */
export interface ForModel<T> {
  readonly model: string | undefined;
  readonly value: T;
}

const PRICE = /^(?:(.+)=)?((?:\d+\.?\d*|\.\d+)(?:,(?:\d+\.?\d*|\.\d+)){1,3})$/;

/** Parses `[MODEL=]IN,OUT[,CACHED[,WRITE]]`, in US dollars per million tokens. */
export function price(text: string): ForModel<ModelPrice> {
  const [, model, amounts = ''] = PRICE.exec(text) ?? [];
  const [input, output, cached, cacheWrite] = amounts.split(',').map(Number);
  if (input === undefined || output === undefined) {
    throw new InvalidArgumentError(
      'It must be [MODEL=]IN,OUT[,CACHED[,WRITE]] in US dollars per million tokens, e.g. 0.25,2 or openai/gpt-5=1.25,10,0.125.',
    );
  }
  const value = {
    input,
    output,
    ...(cached !== undefined && { cached }),
    ...(cacheWrite !== undefined && { cacheWrite }),
  };
  return { model, value };
}

const HEADER = /^(?:((?:https?:\/\/|[\w.-]+\/|(?:scripted|replay|record):)\S*)=)?([^\s:=/]+):[ \t]*(.*)$/s;

/** Parses `[MODEL=]Name: value`. The value is never repeated in an error: it may be a secret. */
export function header(text: string): ForModel<Readonly<Record<string, string>>> {
  const [, model, name, value = ''] = HEADER.exec(text) ?? [];
  const headers = name === undefined ? undefined : { [name]: value.trim() };
  if (headers === undefined || !areHeaders(headers)) {
    throw new InvalidArgumentError("It must be [MODEL=]'Name: value', and not a header that HTTP itself sets.");
  }
  return { model, value: headers };
}

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof Limits)[];

/** Parses `name=value` of any limit. `none` removes the limit. */
export function limit(text: string): Partial<Limits> {
  const [, name = '', value = ''] = /^([\w-]+)=(.+)$/s.exec(text) ?? [];
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const known = LIMIT_NAMES.find((candidate) => candidate === camel);
  if (known === undefined) {
    const near = name === '' ? undefined : closestTo(camel, LIMIT_NAMES);
    const meant = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new InvalidArgumentError(`It must be name=value.${meant} The limits are ${LIMIT_NAMES.join(', ')}.`);
  }
  return { [known]: value === 'none' || value === 'Infinity' ? Number.POSITIVE_INFINITY : amount(value) };
}
