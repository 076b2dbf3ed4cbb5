import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Client, Keys, OWNER } from '../access.ts';
import { HttpProblem } from '../http-problem.ts';
import { PAGE_SESSION_MS, PAGE_SESSIONS } from '../limits.ts';

/** Who may open the page. */
export interface PageAccess {
  /** Keys by name; without keys, and without a token, every client may. */
  readonly keys: Readonly<Record<string, string>>;
  /** The secret of a link, which opens the page once. */
  readonly token?: string;
}

interface OpenSession {
  readonly client: Client;
  readonly opened: number;
}

/**
 * The sessions of browsers. A browser shows a key, or the token of a link, once; from then on it has a cookie that scripts
 * cannot read and that other sites cannot send.
 */
export class PageSessions {
  readonly #keys: Keys;
  #token: Buffer | undefined;
  /** By the digest of the cookie, oldest first. */
  readonly #open = new Map<string, OpenSession>();

  constructor({ keys, token }: PageAccess) {
    this.#keys = new Keys(keys);
    this.#token = token === undefined ? undefined : digestOf(token);
  }

  /** Opens a session and gives the value of its cookie. @throws HttpProblem `wrong-key` */
  open({ key, token }: { readonly key?: string; readonly token?: string }): string {
    const client = this.#isToken(token)
      ? { name: OWNER }
      : this.#keys.client(key === undefined ? undefined : `Bearer ${key}`);
    const value = randomBytes(32).toString('base64url');
    this.#open.set(digestOf(value).toString('hex'), { client, opened: Date.now() });
    const [oldest] = this.#open.keys();
    if (this.#open.size > PAGE_SESSIONS && oldest !== undefined) this.#open.delete(oldest);
    return value;
  }

  /** Who a request with this cookie comes from; undefined without a session. */
  client(cookie: string | undefined): Client | undefined {
    if (cookie === undefined) return undefined;
    const id = digestOf(cookie).toString('hex');
    const session = this.#open.get(id);
    if (session === undefined || Date.now() - session.opened < PAGE_SESSION_MS) return session?.client;
    this.#open.delete(id);
    return undefined;
  }

  /** A token is valid once. */
  #isToken(given: string | undefined): boolean {
    if (given === undefined) return false;
    if (this.#token === undefined || !timingSafeEqual(this.#token, digestOf(given))) {
      throw new HttpProblem('wrong-key', 'This link was used already, or belongs to another server.');
    }
    this.#token = undefined;
    return true;
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
