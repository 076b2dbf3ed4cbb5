import type { S3Client } from '@aws-sdk/client-s3';
import { StoreError } from '../store-error.ts';
import type { ValueStorage } from '../value-storage.ts';

/** Milliseconds for a connection, and of silence in a request. */
const CONNECT_MS = 10_000;
const ANSWER_MS = 60_000;
/** Tries of one request. */
const TRIES = 5;
/** Objects that one request deletes. */
const DELETED_AT_ONCE = 1_000;

type Sdk = typeof import('@aws-sdk/client-s3');

interface Bucket {
  readonly bucket: string;
  /** Ends with a slash, or is empty. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/**
 * Large values in S3, or in storage that speaks its protocol. Keys and region come from where the AWS SDK looks for them, such as
 * `AWS_ACCESS_KEY_ID`. It needs the package `@aws-sdk/client-s3`.
 *
 * @param url `s3://bucket/prefix`; with `?endpoint=https://minio.internal:9000&region=eu-central-1` for another server
 * @throws StoreError for a URL that cannot be right; later, when the storage refuses or cannot be reached
 *
 * @example
 * ```ts
 * const store = postgresStore(process.env.DATABASE_URL, { values: s3Values('s3://fathom-values/prod') });
 * ```
 */
export function s3Values(url: string): ValueStorage {
  const place = bucketOf(url);
  const { bucket, prefix } = place;
  const location = `s3://${bucket}/${prefix}`;
  let opening: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;
  const within = async <T>(what: string, work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T> => {
    opening ??= openClient(place);
    const { sdk, client } = await opening;
    try {
      return await work(sdk, client);
    } catch (error) {
      throw s3Failure(what, location, error);
    }
  };
  const keyOf = (id: string, no: number): string => `${prefix}${id}/${no}`;
  return {
    location,
    put: (id, no, body) =>
      within('Writing to', async ({ PutObjectCommand }, client) => {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(id, no), Body: body }));
      }),
    get: (id, no) =>
      within('Reading from', async ({ GetObjectCommand }, client) => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(id, no) }));
          return await Body?.transformToByteArray();
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    delete: (id) =>
      within('Deleting in', async ({ DeleteObjectsCommand, ListObjectsV2Command }, client) => {
        for (;;) {
          const listed = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${id}/`, MaxKeys: DELETED_AT_ONCE }),
          );
          const objects = (listed.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
          if (objects.length === 0) return;
          const answer = await client.send(
            new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
          );
          const [failed] = answer.Errors ?? [];
          if (failed !== undefined) throw new Error(`${failed.Key}: ${failed.Code} ${failed.Message ?? ''}`);
        }
      }),
    async close() {
      const opened = await opening?.catch(() => undefined);
      opened?.client.destroy();
    },
  };
}

/** @throws StoreError that says how to install the client */
async function openClient({ endpoint, region }: Bucket): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
  let sdk: Sdk;
  try {
    sdk = await import('@aws-sdk/client-s3');
  } catch (error) {
    const install = 'npm install @aws-sdk/client-s3@3';
    const message = `Large values in S3 need the package @aws-sdk/client-s3: run \`${install}\`.`;
    throw new StoreError({ message, cause: error, userAction: true, data: { install } });
  }
  const client = new sdk.S3Client({
    // Other servers have one name for all buckets, and know no regions.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: process.env.AWS_REGION ?? 'us-east-1' }),
    ...(region !== undefined && { region }),
    maxAttempts: TRIES,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS },
    // The id of a value is its SHA-256, which is checked when it is read. Not every server knows the checksums of S3.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { sdk, client };
}

/** @throws StoreError */
function bucketOf(url: string): Bucket {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 's3:' || parsed.hostname === '' || parsed.username !== '') {
    const message =
      'Large values in S3 need a URL such as s3://bucket/prefix, with ?endpoint=https://host:9000 for another server. Keys come from ' +
      'the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), not from the URL.';
    throw new StoreError({ message, userAction: true });
  }
  const path = decodeURIComponent(parsed.pathname).replace(/^\/+|\/+$/g, '');
  return {
    bucket: parsed.hostname,
    prefix: path === '' ? '' : `${path}/`,
    endpoint: parsed.searchParams.get('endpoint') ?? undefined,
    region: parsed.searchParams.get('region') ?? undefined,
  };
}

interface Answered {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as Answered;
  return name === 'NoSuchKey' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket');
}

/** Refusals are for a person to mend: a key, a right, a bucket. */
function s3Failure(what: string, location: string, error: unknown): StoreError {
  const { name = 'Error', message = '', $metadata } = error as Answered;
  const status = $metadata?.httpStatusCode;
  const refused = name === 'CredentialsProviderError' || (status !== undefined && status >= 400 && status < 500);
  return new StoreError({
    message: `${what} ${location} failed: ${name}${message === '' ? '' : `: ${message}`}.`,
    cause: error,
    userAction: refused,
    data: { location, ...(status !== undefined && { status }) },
  });
}
