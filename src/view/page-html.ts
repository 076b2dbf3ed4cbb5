import { createHash } from 'node:crypto';
import type { PageFiles } from './page-files.ts';
import type { RunDocument } from './run-document.ts';

/** No HTML ever comes from a text: the browser refuses it. */
const NO_HTML = "require-trusted-types-for 'script'";

/** The policy of the page that a server sends: its own script, style and API, and nothing else. */
export const SERVED_POLICY: string = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", 'img-src data:', "base-uri 'none'"],
  ...["form-action 'none'", "frame-ancestors 'none'", NO_HTML],
].join('; ');

/** The page of a server. */
export function servedHtml(): string {
  return html({
    head: '<link rel="stylesheet" href="/page/app.css">\n<script src="/page/app.js" defer></script>',
    body: '',
    title: 'Fathom',
  });
}

/**
 * One file that shows one run without a server. Its policy allows its own script and style by their hashes, and no
 * connection.
 */
export function exportedHtml(document: RunDocument, { script, style }: PageFiles): string {
  const policy = [
    "default-src 'none'",
    ...[`script-src '${hashOf(script)}'`, `style-src '${hashOf(style)}'`, 'img-src data:', "base-uri 'none'"],
    ...["form-action 'none'", NO_HTML],
  ].join('; ');
  return html({
    head: `<meta http-equiv="content-security-policy" content="${policy}">\n<style>${style}</style>`,
    body: `<script type="application/json" id="run-data">${embedded(document)}</script>\n<script>${script}</script>`,
    title: 'A run of Fathom',
  });
}

interface Pieces {
  readonly head: string;
  readonly body: string;
  readonly title: string;
}

function html({ head, body, title }: Pieces): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
${head}
</head>
<body>
<div id="app"><noscript>This page needs JavaScript: it is part of the file, and loads nothing.</noscript></div>
${body}
</body>
</html>
`;
}

/** JSON in which no text can end its element, open a comment, or break a line of script. */
function embedded(document: RunDocument): string {
  return JSON.stringify(document).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
