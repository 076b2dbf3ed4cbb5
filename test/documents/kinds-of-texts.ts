import type { Kind } from './kind.ts';

const HTML = `<!DOCTYPE html><html><head><title>A page</title><style>p{}</style></head><body>
<h1>Prices</h1><script>alert(document.cookie)</script><p>See <a href="https://example.org/x">the list</a>.</p>
<table><tr><th>Item</th><th>Price</th></tr><tr><td>Bolt</td><td>12</td></tr></table></body></html>`;
const NOTEBOOK = JSON.stringify({
  nbformat: 4,
  metadata: { kernelspec: { language: 'python' } },
  cells: [
    { cell_type: 'markdown', source: ['# Title\n', 'text'] },
    { cell_type: 'code', source: '1 + 1', outputs: [{ output_type: 'execute_result', data: { 'text/plain': ['2'] } }] },
  ],
});

/** Kinds of text. */
export const TEXTS: readonly Kind[] = [
  {
    name: 'page.html',
    make: () => HTML,
    shown: ['text of `page.html` (HTML page, ', '`.title` "A page"', '`links` of 1 row with `text`, `url`'],
    values: {
      'str(context.text)': '# Prices\nSee the list (https://example.org/x).\nItem\tPrice\nBolt\t12',
      'context.rows': [{ Item: 'Bolt', Price: '12' }],
      "context.tables['links']": [{ text: 'the list', url: 'https://example.org/x' }],
    },
  },
  {
    name: 'work.ipynb',
    make: () => NOTEBOOK,
    shown: ['text of `work.ipynb` (Jupyter notebook, '],
    values: { 'context.text': '# Title\ntext\n\n```python\n1 + 1\n```\n\nOutput:\n2\n\n', "context.meta['cells']": 2 },
  },
  {
    name: 'fees.csv',
    make: () => '\uFEFFname;fee;code;paid;note\nAnn;12;007;true;"a;b"\nBob;7.5;010;false;\n',
    shown: ['text of `fees.csv` (CSV, '],
    values: {
      'context.rows': [
        { name: 'Ann', fee: 12, code: '007', paid: true, note: 'a;b' },
        { name: 'Bob', fee: 7.5, code: '010', paid: false, note: '' },
      ],
      'context.tables[0].columns': ['name', 'fee', 'code', 'paid', 'note'],
      'context.kind': 'csv',
    },
  },
  {
    name: 'rows.jsonl',
    make: () => '{"a": 12345678901234567890}\n{"b": [1]}\n',
    shown: ['text of `rows.jsonl` (JSON Lines, '],
    values: { "context.rows[0]['a'] == 12345678901234567890": true, 'context.rows[1]': { a: null, b: [1] } },
  },
  {
    name: 'film.srt',
    make: () =>
      '1\r\n00:00:01,500 --> 00:00:02,000\r\n<i>Hello</i>\r\nyou\r\n\r\n2\r\n00:01:00,000 --> 00:01:01,000\r\nBye\r\n',
    shown: ['text of `film.srt` (subtitles, '],
    values: {
      'context.rows': [
        { start: 1.5, end: 2, text: 'Hello\nyou' },
        { start: 60, end: 61, text: 'Bye' },
      ],
    },
  },
];
