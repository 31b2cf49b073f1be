import { createHash } from 'node:crypto';
import { assemble, programParts, readPart } from '../../../controllers/lib/host/program.ts';
import type { HostReply, HostRequest, Subcommand } from '../../../controllers/lib/host/protocol.ts';
import { refusalSchema, subcommands } from '../../../controllers/lib/host/protocol.ts';
import { encodeRequest } from '../../../controllers/lib/host/request.ts';
import type { TestHost } from '../hosts/test-host.ts';
import { keepSecret } from '../secrets/registry.ts';
import { unpackParts } from '../ssh-server/payload.ts';

/** Thrown where the program refuses; `code` is one of `refusalCodes`. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export type Driver = {
  /** Runs a subcommand in the host, past the network. */
  call<S extends Subcommand>(subcommand: S, request: HostRequest<S>): Promise<HostReply<S>>;
  /** Waits until a unit of the program's, such as `firn-reset`, does not run any more: without calls, which it may cut short. */
  ended(unit: string): Promise<void>;
  /** The program's text on the host, and under which name. */
  install(): Promise<void>;
  readonly program: string;
};

/**
 * In place of the inert `point`: where a file `/var/lib/firn-test/<action>-<name>` is, the host is killed, or the process
 * is, at the point of that name. The file goes first, so that it happens once.
 */
const killingPoint = `point() {
	printf '%s\\n' "$1" >>/var/lib/firn-test/points
	[ ! -e "/var/lib/firn-test/kill-$1" ] || { rm -f "/var/lib/firn-test/kill-$1"; kill -9 $$; sleep 5; }
	[ ! -e "/var/lib/firn-test/cut-$1" ] || { rm -f "/var/lib/firn-test/cut-$1"; : >/var/lib/firn-test/cut-now; sleep 60; }
}`;

export const killableProgram = (): string =>
  assemble(
    programParts.flatMap((name) =>
      name === 'lib/prelude.sh' ? [readPart(name), killingPoint] : [readPart(name)],
    ),
  );

/** `shell` is what runs the program: a word or two, of ours. */
export function drive(host: TestHost, programText: string, shell = '/bin/sh'): Driver {
  const program = createHash('sha256').update(programText).digest('hex');
  const file = `/var/lib/firn/bin/${program}`;
  const install = async () => {
    const script = `mkdir -p /var/lib/firn/bin /var/lib/firn-test && cat >${file} && chmod 700 ${file}`;
    await host.run(script, { input: programText });
  };
  return {
    program,
    install,
    async ended(unit) {
      await host.run(`timeout 60 sh -c 'while systemctl --quiet is-active ${unit}; do sleep 0.1; done'`);
    },
    async call(subcommand, request) {
      const lines = encodeRequest(subcommand, request).join('\n');
      const script = `${shell} ${file} ${subcommand} 3<<'FIRN-REQUEST'\n${lines}\nFIRN-REQUEST\n`;
      const input = 'payload' in request ? (request.payload as Uint8Array) : '';
      if (input !== '') await keepSecretsOf(input);
      // A reset takes the program away, too.
      await host.run(`[ -e ${file} ] || exit 1`).catch(install);
      const { stdout, stderr } = await host.run(script, { input, allowFailure: true, timeoutMs: 120_000 });
      const answers = stdout.split('\n').filter((line) => line !== '' && line !== 'FIRN-SEND');
      if (answers.length !== 1) throw new Error(`${subcommand} printed:\n${stdout}\nand said:\n${stderr}`);
      const json: unknown = JSON.parse(answers[0]!);
      const refusal = refusalSchema.safeParse(json);
      if (refusal.success) throw new Refused(refusal.data.code, refusal.data.messageB64);
      return subcommands[subcommand].reply.parse(json) as HostReply<typeof subcommand>;
    },
  };
}

/** What `stage` sends is not always whole. */
async function keepSecretsOf(payload: Uint8Array): Promise<void> {
  const { secrets = new Map() } = await unpackParts(Buffer.from(payload)).catch(() => ({
    secrets: undefined,
  }));
  for (const [name, content] of secrets) if (name !== 'index') keepSecret(`delivered file ${name}`, content);
}
