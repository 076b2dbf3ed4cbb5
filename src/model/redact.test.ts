import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyRedactor, redactKeys, replyFilters, secretsOf } from './redact.ts';

/** Of no known shape, with what URLs and JSON escape. */
const KEY = 'Zq7/mWx+4Tn"c9Lr.Kd=82hVb&Ys5';
const percent = (text: string): string => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('an error that quotes the key', () => {
  const redact = keyRedactor([KEY]);
  test.each([
    ['as it is', KEY],
    ['in lower case', KEY.toLowerCase()],
    ['in upper case', KEY.toUpperCase()],
    ['its first half', KEY.slice(0, 15)],
    ['its last half', KEY.slice(-14)],
    ['12 characters of its middle', KEY.slice(9, 21)],
    ['as base64', base64(KEY)],
    ['as Basic credentials', `Basic ${base64(`user:${KEY}`)}`],
    ['as credentials of a longer name', base64(`me:${KEY}`)],
    ['as credentials with something behind', base64(`u:${KEY}:more`)],
    ['as base64 for URLs', Buffer.from(KEY).toString('base64url')],
    ['URL-encoded', encodeURIComponent(KEY)],
    ['URL-encoded, its last half', encodeURIComponent(KEY).slice(-16)],
    ['URL-encoded throughout', percent(KEY)],
    ['URL-encoded in capitals', percent(KEY).toUpperCase()],
    ['in hex', Buffer.from(KEY).toString('hex')],
    ['in hex, in capitals, a part', Buffer.from(KEY).toString('hex').toUpperCase().slice(10, 40)],
    ['in JSON', JSON.stringify(KEY)],
  ])('%s: nothing of it is left', (_, quoted) => {
    const said = redact(`Wrong credentials (${quoted}) were sent.`);
    expect(said).toMatch(/^Wrong credentials \(.{0,14}\[key\].{0,12}\) were sent\.$/);
    // The control: what is taken out for any key leaves this one.
    expect(redactKeys(quoted)).toBe(quoted);
  });

  test('is changed only where it does', () => {
    const text = 'Rate limit reached for requests: İstanbul, please wait 20 s, id 7f3a9c0d1e2b.';
    expect(redact(text)).toBe(text);
    expect(keyRedactor(['none'])('there is none')).toBe('there is [key]');
    expect(keyRedactor([])(text)).toBe(text);
    expect(redact(`twice ${KEY} and ${base64(KEY)}!`)).toMatch(/^twice \[key\] and \[key\].{0,4}!$/);
  });

  test('takes linear time for long texts', () => {
    const started = process.cpuUsage();
    redact('Zq7/mWx+4Tn"c9L '.repeat(100_000));
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(4_000);
  });
});

describe('a reply that repeats the key', () => {
  const through = (pieces: readonly string[], key: string | undefined): string => {
    const filter = replyFilters(secretsOf(key)).text;
    return pieces.map((piece) => filter.push(piece)).join('') + filter.end();
  };

  test('has a placeholder instead, however it is cut into pieces', () => {
    const around = fc.constantFrom('', 'a', KEY.slice(0, 5), KEY.slice(0, -1), 'Z', 'text ');
    fc.assert(
      fc.property(fc.array(fc.oneof(around, fc.constant(KEY)), { maxLength: 6 }), fc.nat(7), (parts, size) => {
        const whole = parts.join('');
        const pieces = whole.match(new RegExp(`[^]{1,${size + 1}}`, 'g')) ?? [];
        expect(through(pieces, KEY)).toBe(whole.replaceAll(KEY, '[key]'));
      }),
    );
  });

  test('is left as it is for words that are given where a server needs no key', () => {
    for (const key of ['none', 'EMPTY', 'ollama', 'lm-studio', undefined]) {
      expect(through(['use lm-st', 'udio, ollama, none or EMPTY'], key)).toBe('use lm-studio, ollama, none or EMPTY');
    }
  });

  test('has a placeholder for added headers as well, and in what comes in one piece', () => {
    const secrets = secretsOf(KEY, {
      'x-auth': `Bearer ${KEY.toUpperCase()}`,
      'x-token': 'on',
      beta: 'prompt-caching-2024',
    });
    const { text, whole } = replyFilters(secrets);
    const echo = `${KEY} or ${KEY.toUpperCase()} on`;
    expect(text.push(echo) + text.end()).toBe('[key] or [key] on');
    expect(keyRedactor(secrets)('prompt-caching-2024 is not on')).toBe('prompt-caching-2024 is not on');
    expect(whole(`{"k":"${KEY}"}`)).toBe('{"k":"[key]"}');
    expect(keyRedactor(secrets)(`sent ${base64(KEY.toUpperCase())}`)).toMatch(/^sent \[key\].{0,4}$/);
  });

  test('is handed on at once where it cannot be the key', () => {
    const filter = replyFilters([KEY]).text;
    expect([filter.push('abc'), filter.push('Zq'), filter.push('x'), filter.push('Z')]).toEqual(['abc', '', 'Zqx', '']);
    expect(filter.end()).toBe('Z');
  });
});
