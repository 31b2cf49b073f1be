/** HTTPS with a client certificate, to servers on the loopback. */
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { IssuedLeaf } from './pki.ts';

export type Answer = { status: number; body: Record<string, unknown> };
export type Ask = {
  /** Of which leaf; absent: nobody in particular. */
  as?: IssuedLeaf | undefined;
  headers?: Record<string, string>;
  method?: string;
  body?: object;
};

const connection = (port: number, ca: string, as: IssuedLeaf | undefined) => ({
  host: '127.0.0.1',
  port,
  ca,
  // A connection of its own, so that nobody is taken for whoever asked before.
  agent: false as const,
  ...(as && { cert: as.certificate, key: as.key.open() }),
});

/** One request over a connection of its own. */
export function send(port: number, ca: string, path: string, ask: Ask = {}): Promise<Answer> {
  const { as, headers = {}, method = ask.body ? 'POST' : 'GET', body } = ask;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...connection(port, ca, as),
        path,
        method,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer')));
    sent.once('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}

/** Of the certificate that a server shows: SHA-256 as Node prints it. */
export function fingerprintAt(port: number, ca: string, as: IssuedLeaf | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...connection(port, ca, as), path: '/version' }, (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume().once('end', () => resolve(fingerprint256));
    });
    sent.once('error', reject);
    sent.end();
  });
}
