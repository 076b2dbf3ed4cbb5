import type { ProviderAdvice } from '../attempt-setup.ts';
import { ModelError } from '../model-error.ts';

/** Longest title of a page in a message. */
const TITLE_CHARS = 80;
/** Characters of a page that are looked at. */
const START_CHARS = 4_096;
const PAGE = /^[\s\uFEFF]*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype html|html|head|body)\b/i;
const TITLE = /<title[^>]*>([^<]*)/i;

/** The text is an HTML page: a login of the network, a router, the front page of a server. */
export function isWebPage(text: string): boolean {
  return PAGE.test(text.slice(0, START_CHARS));
}

/** The error for a page in place of a reply. */
export function webPage(
  text: string,
  status: number,
  setup: { readonly modelId: string; readonly redact: (text: string) => string; readonly advice: ProviderAdvice },
): ModelError {
  const { modelId, redact, advice } = setup;
  const title = redact(TITLE.exec(text)?.[1] ?? '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, TITLE_CHARS);
  const named = title === '' ? '' : ` ("${title}")`;
  const { baseUrl, otherBaseUrls, proxy } = advice;
  const tries = otherBaseUrls.length === 0 ? '' : ` Its API may be at ${otherBaseUrls.join(' or ')}.`;
  const between = proxy === undefined ? 'a login page of the network' : `the proxy in ${proxy}`;
  return new ModelError({
    fault: 'web-page',
    message: `${modelId} cannot be asked at ${baseUrl}: a web page${named} answers there instead of an API.${tries} Or ${between} answers in its place: open the URL in a browser.`,
    httpStatus: status,
    data: { page: title },
  });
}
