// In the place of a converter: tries each way out and reports those that succeeded. `node break-out.mjs PORT FILE FOLDER PID`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

const [port, file, folder, pid] = process.argv.slice(2);

/** @type {Record<string, () => unknown>} */
const ATTEMPTS = {
  'reads its input': () => readSync(3, Buffer.alloc(4), 0, 4, 0),
  'reads another file': () => readFileSync(file),
  'reads the system': () => readFileSync('/etc/passwd'),
  'writes a file': () => writeFileSync(`${folder}/written`, 'x'),
  'writes its input': () => writeSync(3, 'x'),
  'starts a program': () => {
    if (spawnSync('/bin/true').error !== undefined) throw new Error('refused');
  },
  'starts a worker': () => new Worker('0', { eval: true }).terminate(),
  'makes code of text': () => new Function('return 1')(),
  'sees an environment': () => {
    if (process.env.FATHOM_SECRET === undefined) throw new Error('empty');
  },
  'sees the process of its host': () => {
    if (!existsSync(`/proc/${pid}/cmdline`)) throw new Error('hidden');
    readFileSync(`/proc/${pid}/cmdline`);
  },
  'connects to the host': () =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => resolve(socket.destroy()));
      socket.on('error', reject);
    }),
};

const done = [];
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    done.push(name);
  } catch {
    // Refused, as it should be: the host compares with a control in which it is not.
  }
}
writeSync(1, JSON.stringify(done));
process.exit(0);
