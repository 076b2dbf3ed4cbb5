import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundDocument, embeddedBytes, withoutContent } from './bound-document.ts';
import { exportedHtml } from './page-html.ts';
import { referenceDocument } from './reference-document.ts';

const TEXT = 'x'.repeat(10_000);
const line = (response: string): Record<string, unknown> => ({
  ...{
    type: 'iteration',
    response,
    prompt: [{ role: 'user', content: 'secret question' }],
    final_answer: 'secret answer',
  },
  code_blocks: [{ code: 'secret code', result: { stdout: 'secret output', execution_time: 1, rlm_calls: [] } }],
});

describe('a document that is too large', () => {
  const document = referenceDocument(
    Array.from({ length: 20 }, () => line(TEXT)),
    'x',
  );

  it('is cut to fit, and each cut text says so', () => {
    const bound = boundDocument(document, 50_000);
    expect(bound.leftOut).toMatch(/everything behind the first \d+ characters of each text/);
    const [turn] = bound.tree.turns;
    expect(turn?.reply).toMatch(/^x+\n\[cut in this file: \d+ more characters\]$/);
    expect(JSON.stringify(bound).length).toBeLessThan(60_000);
    expect(bound.tree.turns).toHaveLength(20);
  });

  it.each(['<&>', '\u0000\u001b', 'é日', '\ud800', '"\\\n'])('fits whatever %j takes in the file', (unit) => {
    const text = unit.repeat(20_000);
    const large = referenceDocument([line(text), line(text)], 'x');
    const file = exportedHtml(boundDocument(large, 50_000), { script: '', style: '' });
    // Beside the texts there are names of fields and figures.
    expect(Buffer.byteLength(file)).toBeLessThan(60_000);
    expect(Buffer.byteLength(file)).toBeGreaterThan(25_000);
  });

  it('is measured as the file will be, or above', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        const escaped = JSON.stringify(a + b)
          .slice(1, -1)
          .replace(/[<>&\u2028\u2029]/g, '123456');
        expect(embeddedBytes(a + b)).toBeGreaterThanOrEqual(Buffer.byteLength(escaped));
      }),
    );
  });

  it('is left as it is where it fits', () => {
    expect(boundDocument(document, 1_000_000)).toBe(document);
  });
});

describe('a document without content', () => {
  it('keeps figures and structure, and no text', () => {
    const document = referenceDocument([line('secret reply')], 'x');
    const bare = withoutContent(document);
    expect(JSON.stringify(bare)).not.toContain('secret');
    expect(bare.tree.turns[0]?.commands[0]?.durationMs).toBe(1_000);
    expect(bare.facts.query).toBe('[left out: 15 characters]');
  });

  it('keeps codes of errors and exceptions of Python, and hides everything else, fields of later versions included', () => {
    const calls = [{ root_model: 'm', prompt: 'secret', response: '', error: 'secret', execution_time: 1 }];
    const failed = {
      code: 'secret',
      result: { stdout: '', stderr: 'KeyError: secret', execution_time: 1, rlm_calls: calls },
    };
    const own = { code: 'secret', result: { stdout: '', stderr: 'SecretError: x', execution_time: 1, rlm_calls: [] } };
    const lines = [{ type: 'iteration', response: '', prompt: [], code_blocks: [failed, own], final_answer: null }];
    const document = referenceDocument(lines, 'x');
    const evidence = {
      verdict: 'partly',
      citations: [{ document: 'secret.txt', quote: 'secret', status: 'found' }],
    } as const;
    const later = { ...document, tree: { ...document.tree, evidence }, addedLater: { note: 'secret' } };
    const bare = withoutContent(later);
    expect(JSON.stringify(bare)).not.toMatch(/secret/i);
    const [first, second] = bare.tree.turns[0]?.commands ?? [];
    expect(first).toMatchObject({ error: { type: 'KeyError' }, calls: [{ ok: false, error: { code: 'failed' } }] });
    expect(second?.error?.type).toBe('[left out: 11 characters]');
    expect(bare.tree.evidence).toMatchObject({ verdict: 'partly', citations: [{ status: 'found' }] });
  });
});
