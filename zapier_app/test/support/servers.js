/** Real HTTP servers on loopback that record what they get. */

import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';

const PATIENCE_MS = 10_000;

const readBody = async (request) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/**
 * Start a server that answers with what `answer(request)` returns.
 *
 * @param {(request: object) => {status?: number, headers?: object, body?: unknown}} answer
 * @returns {Promise<{url: string, requests: object[], next: () => Promise<object>,
 *   reset: () => void, close: () => void}>}
 *   `next` resolves with the next request that nobody has taken yet, and rejects where none
 *   comes; `reset` forgets all requests.
 */
export const startServer = async (answer = () => ({})) => {
  const requests = [];
  const arrivals = new EventEmitter();
  let taken = 0;

  const deliver = (request) => {
    requests.push(request);
    arrivals.emit('request');
  };

  const next = async () => {
    const place = taken++;
    while (place >= requests.length) {
      await once(arrivals, 'request', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
    return requests[place];
  };

  const server = createServer(async (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const request = { method, url, headers, body: await readBody(incoming) };
    const { status = 200, headers: extra = {}, body } = await answer(request);
    const isText = typeof body === 'string' || body === undefined;
    const type = isText ? 'text/html' : 'application/json';
    outgoing.writeHead(status, { 'content-type': type, ...extra });
    outgoing.end(isText ? body : JSON.stringify(body));
    deliver(request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    next,
    reset: () => {
      requests.length = 0;
      taken = 0;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
