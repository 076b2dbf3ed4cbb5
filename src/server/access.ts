import { createHash, timingSafeEqual } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { HttpProblem } from './http-problem.ts';

/** Who asks: the name of its key. */
export interface Client {
  readonly name: string;
}

/** The name of the key whose client also sees runs and sessions that were not started through this server. */
export const OWNER = 'owner';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** Whether only programs of this machine reach the address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Compares keys in constant time: digests have equal lengths, and every key is compared. */
export class Keys {
  readonly #digests: readonly (readonly [name: string, digest: Buffer])[];

  /** @param keys by name; without keys every client is the owner */
  constructor(keys: Readonly<Record<string, string>>) {
    this.#digests = Object.entries(keys).map(([name, key]) => [name, digestOf(key)]);
  }

  /** @throws HttpProblem `wrong-key` */
  client(authorization: string | undefined): Client {
    if (this.#digests.length === 0) return { name: OWNER };
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    const digest = digestOf(given);
    const found = this.#digests.filter(([, own]) => timingSafeEqual(own, digest)).map(([name]) => name);
    const [name] = found;
    if (name !== undefined) return { name };
    const message =
      authorization === undefined
        ? 'This server needs a key: send it as "Authorization: Bearer KEY".'
        : 'The key of this request is not a key of this server.';
    throw new HttpProblem('wrong-key', message, { 'www-authenticate': 'Bearer' });
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The names and origins that pass the checks of Host and Origin. */
export interface HostRules {
  /** The address that the server listens on. */
  readonly host: string;
  /** Further names by which clients reach it. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages that may use it, such as `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
}

/**
 * Refuses requests that a web page made a browser send: a foreign Host means that a name was rebound to this address, a
 * foreign Origin that the page belongs to another site.
 *
 * @throws HttpProblem `forbidden-host`, `forbidden-origin`
 */
export function checkHost(headers: { readonly host?: string; readonly origin?: string }, rules: HostRules): void {
  const { host = '', origin } = headers;
  const name = hostnameOf(host);
  if (name === undefined || !allowedNames(rules).has(name)) {
    throw new HttpProblem(
      'forbidden-host',
      `This server does not answer to the name ${JSON.stringify(host.slice(0, 100))}: use its address, or start it with --allow-host NAME.`,
    );
  }
  if (origin === undefined || rules.allowedOrigins.includes(origin)) return;
  if (URL.parse(origin)?.host === host.toLowerCase()) return;
  throw new HttpProblem(
    'forbidden-origin',
    `Pages of ${JSON.stringify(origin.slice(0, 100))} may not use this server: start it with --allow-origin ORIGIN to allow them.`,
  );
}

function hostnameOf(host: string): string | undefined {
  return host === '' || /[/@?#\\\s]/.test(host) ? undefined : URL.parse(`http://${host}`)?.hostname;
}

function allowedNames({ host, allowedHosts }: HostRules): ReadonlySet<string> {
  const own = isLoopback(host) ? [] : [hostname().toLowerCase(), ...addressesOf(host)];
  return new Set([...LOOPBACK, bracketed(host), ...own, ...allowedHosts.map((name) => name.toLowerCase())]);
}

/** An address of all interfaces is reached by each of theirs. */
function addressesOf(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [];
  return Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => bracketed(address)));
}

function bracketed(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}
