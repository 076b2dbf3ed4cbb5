import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { RlmError } from '../../errors.ts';
import { whyNotPublic } from './public-address.ts';

/** How names become addresses, and which of them may be connected to. */
export interface Access {
  readonly resolve: (hostname: string) => Promise<readonly string[]>;
  /** Why an address is refused, as a noun: `a loopback address`. Undefined for one that may be connected to. */
  readonly whyRefused: (address: string) => string | undefined;
}

/** Addresses of the public internet alone. */
export const PUBLIC_INTERNET: Access = {
  resolve: async (hostname) => (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address),
  whyRefused: whyNotPublic,
};

/** A URL that may be asked. A host that is an address is checked here, because it is never looked up. */
export function checkUrl(text: string, { whyRefused }: Pick<Access, 'whyRefused'>, from?: URL): URL {
  const url = URL.parse(text, from?.href);
  if (url === null) throw refused(text, 'it is not a URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(shownUrl(url), `its scheme is ${url.protocol.slice(0, -1)}, and only https and http are fetched`);
  if (url.username !== '' || url.password !== '')
    throw refused(shownUrl(url), 'it holds a user name or a password, which are sent to no server');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const why = isIP(host) === 0 ? undefined : whyRefused(host);
  if (why !== undefined) throw refusedAddress(shownUrl(url), host, why);
  return url;
}

/** A URL without what a person should not see repeated. */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

/**
 * Looks names up for sockets: the address that is checked is the one that is connected to, so a name that changes meanwhile
 * leads nowhere else. A name with one refused address is refused, whatever its others are.
 */
export function checkedLookup(access: Access): LookupFunction {
  return (hostname, { all, family }, callback) => {
    allowedAddresses(hostname, access).then(
      (addresses) => {
        const version = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : (family ?? 0);
        const found = addresses
          .map((address) => ({ address, family: isIP(address) }))
          .filter((one) => version === 0 || one.family === version);
        const [first] = found;
        if (first === undefined) callback(notResolved(hostname), []);
        else if (all === true) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

async function allowedAddresses(hostname: string, { resolve, whyRefused }: Access): Promise<readonly string[]> {
  const addresses = await resolve(hostname);
  for (const address of addresses) {
    const why = whyRefused(address);
    if (why !== undefined) throw refusedAddress(hostname, address, why);
  }
  return addresses;
}

function notResolved(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
}

function refusedAddress(of: string, address: string, why: string): RlmError {
  const leads = of === address ? '' : ` (${address})`;
  return refused(of, `it leads to ${why}${leads}, and only addresses of the public internet are fetched`, { address });
}

/** A URL that is not fetched; `why` is a clause. */
export function refused(url: string, why: string, data: Readonly<Record<string, unknown>> = {}): RlmError {
  return new RlmError({
    code: 'fetch-refused',
    message: `${url} is not fetched: ${why}.`,
    userAction: true,
    data: { url, ...data },
  });
}
