/**
 * A double of S3 on loopback: the requests that Fathom makes of it, with one bucket. It checks that requests are signed with its key, in
 * the form of the fourth version; it does not check the signature itself.
 *
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface S3Server {
  /** For `s3Values` and `FATHOM_VALUES`. */
  readonly url: string;
  /** Variables that the client signs with. */
  readonly env: Readonly<Record<string, string>>;
  readonly objects: ReadonlyMap<string, Buffer>;
  /** Methods and keys of requests, in their order. */
  readonly requests: readonly string[];
  /** Decides about a request before it is served: a status refuses it. */
  refuse: (request: string) => number | undefined;
  close(): Promise<void>;
}

const KEY_ID = 'AKIATESTTESTTESTTEST';
const BUCKET = 'values';

export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      const { method = '', headers } = incoming;
      const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://s3');
      const [, bucket = '', ...rest] = decodeURIComponent(pathname).split('/');
      const key = rest.join('/');
      requests.push(`${method} ${key}`);
      const refused = desk.refuse(`${method} ${key}`);
      if (refused !== undefined) return response.writeHead(refused).end(errorXml('Refused', 'by the test'));
      if (!isSigned(headers.authorization)) return response.writeHead(403).end(errorXml('AccessDenied', 'not signed'));
      if (bucket !== BUCKET) return response.writeHead(404).end(errorXml('NoSuchBucket', bucket));
      if (method === 'PUT') {
        objects.set(key, body);
        return response.writeHead(200, { etag: '"1"' }).end();
      }
      if (method === 'POST' && searchParams.has('delete')) {
        for (const [, each = ''] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) objects.delete(each);
        return response.writeHead(200, XML).end('<DeleteResult></DeleteResult>');
      }
      if (method === 'GET' && searchParams.has('list-type')) {
        const prefix = searchParams.get('prefix') ?? '';
        const found = [...objects.keys()].filter((each) => each.startsWith(prefix));
        const contents = found.map((each) => `<Contents><Key>${each}</Key></Contents>`).join('');
        return response.writeHead(200, XML).end(`<ListBucketResult>${contents}</ListBucketResult>`);
      }
      const object = method === 'GET' ? objects.get(key) : undefined;
      if (object === undefined) return response.writeHead(404, XML).end(errorXml('NoSuchKey', key));
      return response.writeHead(200, { 'content-length': object.length }).end(object);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const desk: S3Server = {
    url: `s3://${BUCKET}/fathom?endpoint=${encodeURIComponent(`http://127.0.0.1:${port}`)}`,
    env: { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: 'a-secret-of-the-tests' },
    objects,
    requests,
    refuse: () => undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return desk;
}

const XML = { 'content-type': 'application/xml' };

function isSigned(authorization = ''): boolean {
  const form =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/\d{8}\/[\w-]+\/s3\/aws4_request, SignedHeaders=[\w;-]+, Signature=[0-9a-f]{64}$/;
  return form.exec(authorization)?.[1] === KEY_ID;
}

function errorXml(code: string, message: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
