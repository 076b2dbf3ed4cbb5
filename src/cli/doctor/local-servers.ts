import net from 'node:net';

/** Milliseconds a server on this machine may take to accept a connection. */
const PATIENCE_MS = 500;

/** Whether something accepts connections at a base URL. Nothing is sent. */
export async function answers(baseUrl: string): Promise<boolean> {
  const url = URL.parse(baseUrl);
  if (url === null) return false;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = net.connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.setTimeout(PATIENCE_MS, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
