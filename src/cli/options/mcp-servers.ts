import { isObject } from '../../argument-checks.ts';

/** A server of the user's config file: a program, or a URL. Values of secrets are in the environment, never in the file. */
export type McpServer =
  | {
      readonly command: string;
      readonly args?: readonly string[];
      /** Names of environment variables that the program gets besides the usual ones. */
      readonly env?: readonly string[];
    }
  | {
      readonly url: string;
      /** The environment variable that has the bearer token. */
      readonly tokenFrom?: string;
    };

/** Servers by name. */
export type McpServers = Readonly<Record<string, McpServer>>;

/** Whether a value of the config file names servers. */
export function areMcpServers(value: unknown): value is McpServers {
  return isObject(value) && Object.entries(value).every(([name, server]) => SERVER_NAME.test(name) && isServer(server));
}

const SERVER_NAME = /^[\w-]{1,64}$/;

function isServer(server: unknown): boolean {
  if (!isObject(server)) return false;
  const { command, args = [], env = [], url, tokenFrom, ...rest } = server;
  if (Object.keys(rest).length > 0 || (command === undefined) === (url === undefined)) return false;
  if (url !== undefined) {
    const scheme = typeof url === 'string' ? URL.parse(url)?.protocol : undefined;
    const hasOther = 'args' in server || 'env' in server;
    return (scheme === 'https:' || scheme === 'http:') && !hasOther && (tokenFrom === undefined || isText(tokenFrom));
  }
  return isText(command) && tokenFrom === undefined && isTextList(args) && isTextList(env);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
