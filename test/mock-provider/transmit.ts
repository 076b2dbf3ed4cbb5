import type { ServerResponse } from 'node:http';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { Format, MockAnswer, MockFault, MockRequest, MockUsage } from './mock-types.ts';

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** Waits, unless the client goes away first. */
export function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    }
    response.once('close', done);
  });
}

/** Sends a good reply. */
export async function sendAnswer(
  format: Format,
  answer: MockAnswer & { readonly usage: MockUsage | null },
  request: MockRequest,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (answer.inOnePiece === true && format.wholeReply !== undefined) {
    const body = JSON.stringify(format.wholeReply(answer, request));
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    return;
  }
  const { events, ending } = format.render(answer, request);
  const encoding = answer.encoding === undefined ? {} : { 'content-encoding': answer.encoding };
  response.writeHead(200, { ...EVENT_STREAM, ...encoding, ...headers, ...answer.headers });
  const out = encoder(answer.encoding, response);
  if (answer.packetBytes !== undefined) {
    await sendPackets(Buffer.from([...events, ...ending].join('')), answer.packetBytes, response);
    return;
  }
  for (const event of events) {
    out.write(event);
    if (answer.pieceDelayMs !== undefined) await pause(answer.pieceDelayMs, response);
    if (response.destroyed) return;
  }
  out.end(ending.join(''));
}

async function sendPackets(bytes: Buffer, size: number, response: ServerResponse): Promise<void> {
  for (let start = 0; start < bytes.length && !response.destroyed; start += size) {
    response.write(bytes.subarray(start, start + size));
    // Each packet on its own: without a turn of the event loop they would be joined.
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

function encoder(encoding: MockAnswer['encoding'], response: ServerResponse): NodeJS.WritableStream {
  if (encoding === undefined) return response;
  const stream = encoding === 'gzip' ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : createBrotliCompress();
  stream.pipe(response);
  return stream;
}

/** Does what goes wrong. */
export async function sendFault(
  format: Format,
  fault: MockFault,
  request: MockRequest,
  response: ServerResponse,
): Promise<void> {
  switch (fault.fault) {
    case 'hang-before-headers':
      return;
    case 'reset-before-headers':
      response.socket?.resetAndDestroy();
      return;
    case 'status': {
      const body =
        fault.body ?? JSON.stringify(format.errorBody(fault.status, fault.error ?? { message: 'mock error' }));
      const type = fault.body === undefined ? 'application/json' : 'text/html';
      response.writeHead(fault.status, { 'content-type': type, ...fault.headers }).end(body);
      return;
    }
    case 'redirect':
      response.writeHead(307, { location: fault.location }).end();
      return;
    case 'html':
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body><h1>Sign in to the company network</h1></body></html>');
      return;
    case 'empty':
      response.writeHead(200, EVENT_STREAM).end(format.emptyReply(request).join(''));
      return;
    case 'huge':
      return sendHuge(format, fault.bytes, request, response);
    default:
      return sendBroken(format, fault, request, response);
  }
}

async function sendBroken(
  format: Format,
  fault: Extract<MockFault, { after?: string }>,
  request: MockRequest,
  response: ServerResponse,
): Promise<void> {
  const text = 'after' in fault ? (fault.after ?? '') : '';
  const { events, ending } = format.render({ text, usage: null, pieces: 1 }, request);
  const whole = fault.fault === 'hang-after-reply' || fault.fault === 'reset-after-reply';
  response.writeHead(200, EVENT_STREAM);
  response.write(text === '' ? ': begin\n\n' : [...events, ...(whole ? ending : [])].join(''));
  await new Promise((resolve) => setImmediate(resolve));
  if (fault.fault === 'truncated') response.end();
  if (fault.fault === 'reset-mid-stream' || fault.fault === 'reset-after-reply') response.socket?.resetAndDestroy();
  if (fault.fault === 'malformed') response.end('data: {"choices": [{"delta": {"content": "x"\n\n');
  if (fault.fault === 'error-event') response.end(format.errorEvent(fault.error));
}

async function sendHuge(format: Format, bytes: number, request: MockRequest, response: ServerResponse): Promise<void> {
  response.writeHead(200, EVENT_STREAM);
  const block = format.render({ text: 'x'.repeat(64 * 1024), usage: null, pieces: 1 }, request).events.join('');
  for (let sent = 0; sent < bytes && !response.destroyed; sent += block.length) {
    if (!response.write(block)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}
