import { invalidOption, kindOf } from '../argument-checks.ts';
import { isLoopback } from './access.ts';

/** Where a server listens, and whom it serves. */
export interface ListenOptions {
  /** Bearer keys by name. A key sees its own runs and sessions only. Default: none is asked for. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Address to listen on. Default `127.0.0.1`. Another than loopback needs `keys`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Further names in the Host header. Default: the address itself, this machine's name, and loopback. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages that may use it. Default: none but its own. */
  readonly allowedOrigins?: readonly string[];
}

/** The options with their defaults. */
export type ListenConfig = Required<ListenOptions>;

/** @throws RlmError `invalid-option` for an address that needs keys, a port or keys that cannot be right */
export function listenConfig(options: ListenOptions): ListenConfig {
  const { host = '127.0.0.1', port = 0, keys = {}, allowedHosts = [], allowedOrigins = [] } = options;
  checkKeys(keys, host);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalidOption(`The option port has to be a whole number from 0 to 65535; this is ${kindOf(port)}`);
  }
  return { host, port, keys, allowedHosts, allowedOrigins };
}

function checkKeys(keys: Readonly<Record<string, string>>, host: string): void {
  for (const [name, key] of Object.entries(keys)) {
    if (!/^[\w.-]{1,64}$/.test(name)) {
      throw invalidOption(
        `The name of a key has to be 1 to 64 letters, digits, "_", "." or "-"; this is ${kindOf(name)}`,
      );
    }
    // The message must not show the key.
    if (typeof key !== 'string' || !/^\S{8,512}$/.test(key)) {
      throw invalidOption(`The key ${name} has to be a text of 8 to 512 characters without blanks`);
    }
  }
  if (Object.keys(keys).length === 0 && !isLoopback(host)) {
    throw invalidOption(
      `The address ${host} can be reached from other machines, so the server needs a key: set FATHOM_SERVER_KEY or give --keys FILE, or listen on 127.0.0.1`,
    );
  }
}
