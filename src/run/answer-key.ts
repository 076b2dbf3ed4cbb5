/** Answers with one key are equal: text but for case, white space, quotation marks and a full stop; numbers by value. */
export function answerKey(answer: unknown): string {
  if (typeof answer === 'string') return textKey(answer);
  if (typeof answer !== 'object' || answer === null) return JSON.stringify(answer) ?? 'undefined';
  if (Array.isArray(answer)) return `[${answer.map(answerKey).join(',')}]`;
  const entries = Object.entries(answer).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${answerKey(value)}`).join(',')}}`;
}

/** A number, with or without separators of thousands: `1,234.50` is 1234.5. */
const NUMBER = /^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$/;

function textKey(text: string): string {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^(["'“”‘’`*]+)(.*?)\1?$/, '$2')
    .replace(/["'“”‘’`*.!]+$/, '')
    .trim();
  // Digits beyond those of a number stay a text.
  if (!NUMBER.test(plain) || plain.replaceAll(/\D/g, '').length > 15) return JSON.stringify(plain);
  return JSON.stringify(Number(plain.replaceAll(',', '')));
}
