import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AuthContext, PublicKeyAuthContext, Session, Connection as SshConnection } from 'ssh2';
import ssh2 from 'ssh2';
import { parsePublicKey } from '../../../controllers/lib/host/keys.ts';
import { type ShellHost, serveShell } from './shell.ts';

export type ListenerHost = Omit<ShellHost, 'cutConnection'> & {
  /** Private key in OpenSSH's format; made when it is first needed. */
  hostKey(): string;
  /** A key that is not the host's. */
  otherKey(): string;
  /** Public keys that may log in. */
  authorizedKeys: readonly string[];
  users: readonly string[];
  /** What answers at ports of the host's own loopback, where that is another port of ours. */
  ports: ReadonlyMap<number, number>;
};

export type Listener = {
  readonly port: number;
  readonly connections: number;
  /** Opens or closes the port, so that a connection is really refused. */
  listen(open: 'open' | 'closed'): Promise<void>;
  /** Cuts every connection without a word. */
  cutAll(): void;
  close(): Promise<void>;
};

/** sshd's default (sshd_config(5)). */
const maxSessions = 10;
/** ssh2 pings its clients every 15 s unless told otherwise; ten thousand idle hosts have better things to do. */
const never = 2 ** 31 - 1;

export async function startListener(address: string, host: ListenerHost): Promise<Listener> {
  const sockets = new Set<Socket>();
  let port = 0;
  let server: Server | null = null;
  let isSilent = false;

  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (isSilent || host.faults.take('hang', ({ at }) => at === 'banner') !== null) {
      socket.resume(); // or its end would never be read
      return;
    }
    if (host.faults.take('cut', ({ at }) => at === 'banner') !== null) {
      socket.destroy();
      return;
    }
    serveSsh(socket, host);
  };
  const listener: Listener = {
    get port() {
      return port;
    },
    get connections() {
      return sockets.size;
    },
    async listen(open) {
      if ((open === 'open') === (server !== null)) return;
      if (open === 'closed') {
        server?.close();
        server = null;
        return;
      }
      const created = createServer(accept);
      server = created;
      await new Promise<void>((resolve, reject) => {
        created.once('error', reject);
        created.listen(port, address, resolve);
      });
      const bound = created.address();
      if (bound !== null && typeof bound === 'object') port = bound.port;
    },
    cutAll() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      isSilent = true;
      listener.cutAll();
      await listener.listen('closed');
    },
  };
  await listener.listen('open');
  return listener;
}

function serveSsh(socket: Socket, host: ListenerHost): void {
  const wrong = host.faults.take('wrongHostKey') !== null;
  const server = new ssh2.Server({
    hostKeys: [wrong ? host.otherKey() : host.hostKey()],
    keepaliveInterval: never,
  });
  server.on('connection', (client: SshConnection) => {
    let user = '';
    let sessions = 0;
    client.on('error', () => socket.destroy());
    client.on('authentication', (context: AuthContext) => {
      user = context.username;
      if (isWelcome(context, host)) context.accept();
      else context.reject(['publickey']);
    });
    client.on('ready', () => {
      if (host.faults.take('cut', ({ at }) => at === 'login') !== null) socket.destroy();
    });
    client.on('session', (acceptSession, rejectSession) => {
      if (sessions >= maxSessions || host.faults.take('refuseSession') !== null) {
        rejectSession();
        return;
      }
      const session = acceptSession();
      sessions += 1;
      session.on('close', () => {
        sessions -= 1;
      });
      serveSession(session, user, { ...host, cutConnection: () => socket.destroy() });
    });
    // A scripted host is a jump host as well: what it reaches is what this process reaches on loopback.
    client.on('tcpip', (acceptForward, rejectForward, { destIP, destPort }) => {
      if (!destIP.startsWith('127.')) return rejectForward();
      const onward = connect(host.ports.get(destPort) ?? destPort, destIP);
      onward.once('error', () => rejectForward());
      onward.once('connect', () => {
        onward.removeAllListeners('error').on('error', () => onward.destroy());
        const channel = acceptForward();
        channel.on('error', () => onward.destroy());
        channel.on('close', () => onward.destroy());
        channel.pipe(onward).pipe(channel);
      });
    });
  });
  server.injectSocket(socket);
}

function serveSession(session: Session, user: string, host: ShellHost): void {
  session.on('exec', (accept, reject, { command }) => {
    if (command !== '/bin/sh') return reject();
    const channel = accept();
    channel.on('error', () => channel.close());
    serveShell(channel, user, host).catch((error: unknown) => {
      // A mistake in the model itself must not pass for a fault of the host.
      process.emitWarning(`scripted host: ${String(error instanceof Error ? error.stack : error)}`);
      channel.close();
    });
  });
}

/** A real check of a real signature (RFC 4252 section 7). */
function isWelcome(context: AuthContext, host: ListenerHost): boolean {
  if (context.method !== 'publickey' || !host.users.includes(context.username)) return false;
  const { key, blob, signature, hashAlgo } = context as PublicKeyAuthContext & { hashAlgo?: string };
  const known = host.authorizedKeys.some((line) => parsePublicKey(line)?.blob.equals(key.data) === true);
  if (!known || host.faults.take('refuseKey') !== null) return false;
  if (signature === undefined || blob === undefined) return true;
  const parsed = ssh2.utils.parseKey(key.data);
  if (parsed instanceof Error) return false;
  const publicKey = Array.isArray(parsed) ? parsed[0] : parsed;
  return publicKey?.verify(blob, signature, hashAlgo) === true;
}
