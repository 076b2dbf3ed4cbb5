/**
 * Prints the files of `run/`, `completion/` and `protocol/` in which a plain scripted `FINAL("x")` calls a function, by
 * V8's coverage: what a reader has to open to follow it. `tools/opened-files.ts [folder…]` counts other folders of `src/`.
 *
 * @example node --disable-warning=ExperimentalWarning tools/opened-files.ts
 */
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { createRlm } from '../src/index.ts';
import { scriptedModel } from '../src/test.ts';

const FOLDERS = process.argv.length > 2 ? process.argv.slice(2) : ['run', 'completion', 'protocol'];
const SOURCES = new URL('../src/', import.meta.url).href;

const rlm = createRlm({ model: scriptedModel(['FINAL("x")', 'FINAL("x")']), requireInspection: false });
const inspector = new Session();
inspector.connect();
try {
  // The first run loads what is loaded lazily; the second is what is looked at.
  await rlm.completion({ query: 'What is it?' });
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const { answer } = await rlm.completion({ query: 'What is it?' });
  const { result } = await inspector.post('Profiler.takePreciseCoverage');
  // The function without a name that spans a file is its top level, which runs when the file is loaded.
  const opened = result.filter(({ functions }) =>
    functions.some(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0),
  );
  const files = opened
    .map(({ url }) => url)
    .filter((url) => FOLDERS.some((folder) => url.startsWith(`${SOURCES}${folder}/`)))
    .map((url) => fileURLToPath(url).slice(fileURLToPath(SOURCES).length))
    .sort();
  console.log(files.join('\n'));
  console.log(`${files.length} files of ${FOLDERS.join(', ')} for the answer ${answer}`);
} finally {
  inspector.disconnect();
  await rlm.close();
}
