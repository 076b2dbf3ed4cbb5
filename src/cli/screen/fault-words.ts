import type { UsageRecorded } from '../../event/call-events.ts';
import { duration } from './figures.ts';

/** Faults of model calls in a few words. */
const WORDS: Readonly<Record<string, string>> = {
  'rate-limit': 'rate limited',
  overloaded: 'the server is overloaded',
  server: 'the server failed',
  unreachable: 'the server is not reachable',
  reset: 'the connection broke',
  truncated: 'the reply broke off',
  malformed: 'the reply could not be read',
  'not-an-api': 'no API answers there',
  'web-page': 'a web page answers there',
  empty: 'the reply was empty',
  idle: 'the server was silent',
  deadline: 'the time for the call is up',
  'bad-request': 'the server refused the form of the request',
};

/** Milliseconds below which a wait is not worth a word. */
const LEAST_WAIT_MS = 100;

/** Why an attempt failed, and when the next one is made. */
export function retryWords({ fault = '', code = '', attempt, retryInMs }: UsageRecorded): string {
  const cause = WORDS[fault] ?? (fault === '' ? code : fault);
  if (retryInMs === undefined) return cause;
  const when = retryInMs < LEAST_WAIT_MS ? 'asking again' : `again in ${duration(retryInMs)}`;
  return `${cause}, ${when} (attempt ${attempt + 1})`;
}
