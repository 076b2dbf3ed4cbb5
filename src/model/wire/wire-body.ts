import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { AttemptWatch } from '../attempt-watch.ts';
import { ModelError } from '../model-error.ts';
import { looksLikePage, PAGE_BYTES } from './page.ts';

/** The options of {@link readWireBody}. */
export interface BodySetup {
  readonly modelId: string;
  readonly clock: Clock;
  /** The `content-type` of the response. */
  readonly type: string;
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** The error of an attempt whose body breaks off, unless its reply was whole by then. */
  readonly lost: (error: unknown) => ModelError;
  /** The events that a body in one piece is equal to, if it is a whole reply. */
  readonly wholeReply: (text: string) => string | undefined;
  /** The error for a response that is not an event stream. */
  readonly notAStream: (text: string) => ModelError;
}

/** Marks the last event of a whole reply, in formats whose SDK does not pass it on. */
const CLOSING = /\[DONE\]|"usageMetadata"/;
const TAIL_BYTES = 2_048;
/** Longest reply in one JSON body. */
const WHOLE_REPLY_BYTES = 8 * 1024 * 1024;
const PAGE_START_OF_JSON = /^[\s\uFEFF]*[[{]/;
/** OpenAI's last event. A line of its own: inside a text its line ends would be escaped. */
const DONE = /(?:^|[\r\n])data: ?\[DONE\][\r\n]/;
const DONE_BYTES = 24;
/** Milliseconds the end of the response may come after the end of the reply: mostly it does, and the connection is free. */
const GRACE_MS = 50;
/** Milliseconds a connection has to end a reply that is whole, so that it can be used again. */
export const LINGER_MS = 1_000;

/**
 * The body as the SDK reads it, with every chunk reported to the attempt's watch: it counts as a sign of life and
 * against the largest response. A body that breaks off or falls silent ends here as if it had ended by itself, with its
 * error in `watch.wire.lost`: the reply may have been whole before.
 */
export function readWireBody(body: Readable, watch: AttemptWatch, setup: BodySetup): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new WireBody(body, watch, setup));
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

class WireBody {
  readonly #body: Readable;
  readonly #watch: AttemptWatch;
  readonly #setup: BodySetup;
  #kind: 'unknown' | 'stream' | 'page' = 'unknown';
  #tail: Buffer = Buffer.alloc(0);
  #page: Buffer[] = [];
  /** The SDK gets nothing more. A destroyed body still gives out what it has. */
  #over = false;
  /** The provider has said that its reply is at its end. */
  #whole = false;

  constructor(body: Readable, watch: AttemptWatch, setup: BodySetup) {
    this.#body = body;
    this.#watch = watch;
    this.#setup = setup;
  }

  start(controller: Controller): void {
    const body = this.#body;
    this.#watch.wire.cutOff = (error) => this.#lose(error, controller);
    body.on('data', (chunk: Buffer) => this.#take(chunk, controller));
    body.once('end', () => this.#end(controller));
    body.on('error', (error) => this.#lose(this.#setup.lost(error), controller));
  }

  pull(): void {
    this.#body.resume();
  }

  cancel(): void {
    this.#over = true;
    this.#body.destroy();
  }

  #take(chunk: Buffer, controller: Controller): void {
    if (this.#over) return;
    const { wire } = this.#watch;
    this.#watch.touch();
    wire.bytes += chunk.byteLength;
    if (this.#kind === 'unknown') this.#kind = looksLikePage(chunk, this.#setup.type);
    if (wire.bytes > this.#setup.maxBytes) this.#fail(tooLarge(this.#setup), controller);
    else if (this.#kind === 'page') this.#keep(chunk, controller);
    else this.#pass(chunk, controller);
  }

  #pass(chunk: Buffer, controller: Controller): void {
    controller.enqueue(chunk);
    this.#tail = chunk.length < TAIL_BYTES ? Buffer.concat([this.#tail, chunk]).subarray(-TAIL_BYTES) : chunk;
    if (DONE.test(this.#tail.toString('latin1', this.#tail.length - DONE_BYTES))) this.#done(controller);
    else if ((controller.desiredSize ?? 0) <= 0) this.#body.pause();
  }

  #keep(chunk: Buffer, controller: Controller): void {
    this.#page.push(chunk);
    const most = PAGE_START_OF_JSON.test(this.#page[0]?.toString('utf8', 0, 64) ?? '') ? WHOLE_REPLY_BYTES : PAGE_BYTES;
    if (this.#watch.wire.bytes > most) this.#end(controller);
  }

  #end(controller: Controller): void {
    if (this.#over) return;
    const isPage = this.#kind === 'page' || (this.#kind === 'unknown' && /\b(?:html|json)\b/.test(this.#setup.type));
    if (isPage) this.#endPage(Buffer.concat(this.#page).toString(), controller);
    else this.#close(controller);
  }

  #endPage(text: string, controller: Controller): void {
    const events = this.#setup.wholeReply(text);
    if (events === undefined) {
      this.#fail(this.#setup.notAStream(text), controller);
      return;
    }
    this.#over = true;
    this.#watch.wire.closed = true;
    controller.enqueue(Buffer.from(events));
    controller.close();
    this.#body.destroy();
  }

  /** The reply is whole: neither the SDK nor the connection's next call waits long for the response to end. */
  #done(controller: Controller): void {
    if (this.#whole) return;
    this.#whole = true;
    const body = this.#body;
    const { clock } = this.#setup;
    body.once(
      'close',
      clock.schedule(GRACE_MS, () => this.#close(controller)),
    );
    body.once(
      'close',
      clock.schedule(LINGER_MS, () => void body.destroy()),
    );
  }

  #lose(error: ModelError, controller: Controller): void {
    if (this.#over) return;
    this.#watch.wire.lost = error;
    this.#close(controller);
    this.#body.destroy();
  }

  #close(controller: Controller): void {
    if (this.#over) return;
    this.#over = true;
    this.#watch.wire.closed = CLOSING.test(this.#tail.toString('latin1'));
    controller.close();
  }

  #fail(error: ModelError, controller: Controller): void {
    this.#over = true;
    this.#watch.fail(error);
    controller.error(this.#watch.failure);
    this.#body.destroy();
  }
}

function tooLarge({ modelId, maxBytes }: BodySetup): ModelError {
  return new ModelError({
    fault: 'too-large',
    message: `${modelId} sent more than ${Math.round(maxBytes / 1024)} KiB; the connection was closed.`,
    possiblyBilled: true,
    data: { limitBytes: maxBytes },
  });
}
