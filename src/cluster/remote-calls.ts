import { ulid } from 'ulid';
import { invalidOption } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import { errorAsJson, errorFromJson } from './error-json.ts';
import type { Mailbox, Message } from './mailbox.ts';

/** Answers calls of other processes. `from` is the mailbox of the caller. */
export type Serve = (call: RemoteCall) => Promise<JsonValue>;

export interface RemoteCall {
  readonly from: string;
  readonly method: string;
  readonly body: JsonValue;
}

/** The other process did not answer: it ended, or the connection to it is lost. */
export class Unanswered extends Error {
  constructor(method: string, waitMs: number) {
    super(
      `no answer to ${method} within ${waitMs / 1_000} s: the process that started this run has ended or cannot be reached`,
    );
    this.name = 'Unanswered';
  }
}

/** The error of calls on a connection to the cluster that is closed. */
export function connectionClosed(): RlmError {
  return new RlmError({ code: 'cancelled', message: 'The connection to the cluster is closed.' });
}

type Wire =
  | { readonly kind: 'note'; readonly method: string; readonly body: JsonValue }
  | { readonly kind: 'call'; readonly id: string; readonly method: string; readonly body: JsonValue }
  | { readonly kind: 'answer'; readonly id: string; readonly body: JsonValue }
  | { readonly kind: 'failure'; readonly id: string; readonly error: JsonValue };

interface Waiting {
  readonly resolve: (body: JsonValue) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls between processes over their mailboxes. */
export class RemoteCalls {
  readonly #waiting = new Map<string, Waiting>();
  readonly #serve: Serve;
  #mailbox: Mailbox | undefined;
  #closed = false;

  constructor(serve: Serve) {
    this.#serve = serve;
  }

  /** The mailbox it sends from. */
  open(mailbox: Mailbox): void {
    this.#mailbox = mailbox;
  }

  get id(): string {
    return this.#opened().id;
  }

  /** Ends the calls that wait for an answer: each has a timer, which would keep this process alive. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.values()) reject(connectionClosed());
  }

  /** Calls a method of another process. @throws Unanswered, and the error that the method threw */
  async ask(
    to: string,
    call: { readonly method: string; readonly body: JsonValue; readonly waitMs: number },
  ): Promise<JsonValue> {
    const { method, body, waitMs } = call;
    if (this.#closed) throw connectionClosed();
    const id = ulid();
    const answer = Promise.withResolvers<JsonValue>();
    this.#waiting.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Unanswered(method, waitMs)), waitMs);
    try {
      const wire: Wire = { kind: 'call', id, method, body };
      // While Redis is out of reach, the message waits as well.
      this.#opened()
        .post(to, wire)
        .catch((error: unknown) => answer.reject(error));
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Calls a method of another process, which sends no answer. */
  notify(to: string, { method, body }: { readonly method: string; readonly body: JsonValue }): void {
    const wire: Wire = { kind: 'note', method, body };
    this.#opened()
      .post(to, wire)
      .catch(() => undefined);
  }

  /** Takes a message of the mailbox. */
  take({ from, body }: Message): void {
    const wire = body as unknown as Wire;
    if (wire.kind === 'note') {
      this.#serve({ from, method: wire.method, body: wire.body }).catch(() => undefined);
      return;
    }
    if (wire.kind === 'call') {
      void this.#answer(from, wire);
      return;
    }
    const waiting = this.#waiting.get(wire.id);
    if (wire.kind === 'answer') waiting?.resolve(wire.body);
    else waiting?.reject(errorFromJson(wire.error));
  }

  async #answer(from: string, { id, method, body }: Extract<Wire, { kind: 'call' }>): Promise<void> {
    let wire: Wire;
    try {
      wire = { kind: 'answer', id, body: await this.#serve({ from, method, body }) };
    } catch (error) {
      wire = { kind: 'failure', id, error: errorAsJson(error) };
    }
    // A caller that cannot be reached asks again or has ended.
    await this.#opened()
      .post(from, wire as unknown as JsonValue)
      .catch(() => undefined);
  }

  #opened(): Mailbox {
    if (this.#mailbox === undefined) throw invalidOption('The connection to Redis is not open');
    return this.#mailbox;
  }
}
