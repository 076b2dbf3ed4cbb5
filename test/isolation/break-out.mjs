// What someone would try who has broken out of the interpreter into the child's JavaScript. Prints what was reached.
import child_process from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import process from 'node:process';

const frame = (type, header) => {
  const head = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(13 + head.length);
  bytes.writeUInt32LE(9 + head.length, 0);
  bytes[4] = type;
  bytes.writeUInt32LE(head.length, 9);
  head.copy(bytes, 13);
  return bytes;
};
const first = Buffer.alloc(65536);
const facts = JSON.parse(first.toString('utf8', 13, fs.readSync(3, first)));
const builtin = (name) => process.getBuiltinModule(name);
const once = (emitter, good) =>
  new Promise((resolve) => {
    emitter.on(good, () => resolve(true));
    emitter.on('error', () => resolve(false));
    setTimeout(() => resolve(false), 1000).unref();
  });
const attempts = {
  'read a file': () => fs.readFileSync(facts.canary, 'utf8').includes(facts.secret),
  'read by bytes of a path': () => fs.readFileSync(Buffer.from(facts.canary), 'utf8').includes(facts.secret),
  'read by URL': () => fs.readFileSync(new URL(`file://${facts.canary}`), 'utf8').includes(facts.secret),
  'read by a path upwards': () => fs.readFileSync(`./../../../../../..${facts.canary}`, 'utf8').includes(facts.secret),
  'read with promises': async () => (await fs.promises.readFile(facts.canary, 'utf8')).includes(facts.secret),
  'read with a stream': () => once(fs.createReadStream(facts.canary), 'data'),
  'read with openAsBlob': async () => (await (await fs.openAsBlob(facts.canary)).text()).includes(facts.secret),
  'list a folder': () => fs.readdirSync(facts.folder).length > 0,
  'stat a file': () => fs.statSync(facts.canary).size > 0,
  'read own environ': () => fs.readFileSync('/proc/self/environ').length >= 0,
  'read the environ of the host': () => fs.readFileSync(`/proc/${facts.pid}/environ`).length > 0,
  'write a file': () => fs.writeFileSync(facts.marker, 'x') === undefined,
  'copy a file': () => fs.cpSync(facts.canary, `${facts.folder}/copied`) === undefined,
  'link a file': () => fs.symlinkSync(facts.canary, `${facts.folder}/linked`) === undefined,
  'change a mode': () => fs.chmodSync(facts.canary, 0o600) === undefined,
  'remove a file': () => fs.rmSync(`${facts.folder}/removable`) === undefined,
  'run a program': () => child_process.execFileSync('/bin/true') !== undefined,
  'run a program by binding': () =>
    process.binding('spawn_sync').spawn({
      file: '/bin/true',
      args: ['true'],
      stdio: [{ type: 'pipe', readable: true, writable: false }],
    }).status === 0,
  'start a worker': () => once(new (builtin('worker_threads').Worker)('1', { eval: true, execArgv: [] }), 'online'),
  // A library that is no addon is loaded, and then refused for not being one.
  'load a native module': () => {
    try {
      process.dlopen({ exports: {} }, facts.library);
    } catch (error) {
      return error.message.includes('self-register');
    }
  },
  'make code from text': () => new Function('return 1 + 1')() === 2,
  // biome-ignore lint/security/noGlobalEval: it is the attack.
  'evaluate text': () => globalThis.eval('1 + 1') === 2,
  'open SQLite': () => builtin('node:sqlite').DatabaseSync !== undefined,
  'use WASI': () => new (builtin('wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } }) !== undefined,
  'open the inspector': () => builtin('inspector').open(0) !== undefined && builtin('inspector').url() !== undefined,
  'write a report': () => {
    process.report.writeReport(`${facts.folder}/report.json`);
    return fs.existsSync(`${facts.folder}/report.json`);
  },
  'see a variable of the environment': () => JSON.stringify(process.env).includes(facts.secret),
  'import a file': async () => (await import(`file://${facts.folder}/module.mjs`)).default === facts.secret,
  'connect by TCP': () => once(net.connect(facts.port, '127.0.0.1'), 'connect'),
  'connect to a local socket': () => once(net.connect(facts.socket), 'connect'),
  fetch: async () => (await fetch(`http://127.0.0.1:${facts.port}/`)).status === 204,
  'send a datagram': () =>
    new Promise((resolve) => dgram.createSocket('udp4').send('x', facts.udp, '127.0.0.1', (error) => resolve(!error))),
  'signal the host': () => process.kill(facts.pid, 0) === true,
  'change the priority of the host': () => os.setPriority(facts.pid, os.getPriority(facts.pid)) === undefined,
  'name of the machine': () => os.hostname() === facts.hostname,
  'addresses of the machine': () => Object.keys(os.networkInterfaces()).some((name) => name !== 'lo'),
  'resolve a name': async () => (await dns.promises.lookup('localhost')).address !== undefined,
  'become another user': () => process.setuid(65534) === undefined,
};
const reached = {};
process.on('uncaughtException', () => {});
// Some attempts wait for what nothing keeps alive.
setInterval(() => {}, 1000);
const late = () => new Promise((resolve) => setTimeout(() => resolve(false), 2000));
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    reached[name] = (await Promise.race([attempt(), late()])) === true;
  } catch {
    reached[name] = false;
  }
}
fs.writeSync(3, frame(65, { reached }));
process.exit(0);
