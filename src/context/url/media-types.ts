/** Ends of names by media type: a file's name decides its kind where its beginning does not. */
const ENDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'text/csv': 'csv',
    'text/tab-separated-values': 'tsv',
    'text/markdown': 'md',
    'text/html': 'html',
    'application/xhtml+xml': 'html',
    'text/xml': 'xml',
    'application/xml': 'xml',
    'application/json': 'json',
    'application/jsonl': 'jsonl',
    'application/x-ndjson': 'jsonl',
    'application/x-ipynb+json': 'ipynb',
    'application/yaml': 'yaml',
    'application/toml': 'toml',
    'message/rfc822': 'eml',
    'application/mbox': 'mbox',
    'text/vtt': 'vtt',
    'application/x-subrip': 'srt',
    'application/pdf': 'pdf',
    'image/png': 'png',
    'image/jpeg': 'jpg',
  }),
);

/** The media type of a `Content-Type`, in small letters, and its charset. */
export function mediaTypeOf(header: string | undefined): { readonly type: string; readonly charset?: string } {
  const [type = '', ...parameters] = (header ?? '').split(';');
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([\w:.+-]{1,40})"?\s*$/i.exec(one)?.[1]).find(Boolean);
  return { type: type.trim().toLowerCase(), ...(charset !== undefined && { charset: charset.toLowerCase() }) };
}

/** A name whose end says what its media type says; as it is where that says no more. */
export function nameFor(name: string, type: string): string {
  const end = ENDS.get(type) ?? (type.endsWith('+json') ? 'json' : type.endsWith('+xml') ? 'xml' : undefined);
  return end === undefined || name.toLowerCase().endsWith(`.${end}`) ? name : `${name}.${end}`;
}
