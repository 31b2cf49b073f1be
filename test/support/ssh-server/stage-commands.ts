/** Laying down releases, and removing them. */
import { partNames } from '../../../controllers/lib/host/protocol.ts';
import { accepted, admit, type Command, type Fields, int, Refusal, text } from './invocation.ts';
import { isPart, sha256, unpackParts } from './payload.ts';
import { wholeSecrets } from './secrets.ts';
import type { Machine } from './state.ts';

export const stage: Command = async (machine, call) => {
  admit(machine, call);
  const { fields } = call;
  const payload = await call.receive(int(fields.payloadBytes));
  if (sha256(payload) !== fields.payloadSha256) {
    throw new Refusal('PayloadCorrupt', "the payload's SHA-256 is not what was announced");
  }
  const sent = await unpackParts(payload).catch((error: unknown) => {
    throw new Refusal('PayloadCorrupt', `the payload cannot be unpacked: ${String(error)}`);
  });
  for (const part of partNames) {
    const hash = text(fields[part]);
    if (machine.state.stored[part].has(hash)) continue;
    const tree = sent[part];
    if (tree === undefined)
      throw new Refusal('PartMissing', `the part ${part} ${hash} is neither stored nor sent`);
    if (!isPart(part, hash, tree))
      throw new Refusal('PayloadCorrupt', `the part ${part} is not what its hash says`);
    machine.state.stored[part].set(hash, part === 'secrets' ? wholeSecrets(machine.state, tree) : tree);
  }
  admit(machine, call);
  layRelease(machine, fields);
  return accepted;
};

function layRelease({ state, clock }: Machine, fields: Fields): void {
  const id = text(fields.id);
  const parts = { system: text(fields.system), data: text(fields.data), secrets: text(fields.secrets) };
  const before = state.releases.get(id);
  if (before !== undefined && partNames.some((part) => before.parts[part] !== parts[part])) {
    throw new Refusal('InvalidRequest', `release ${id} has other parts already`);
  }
  if (before !== undefined) return;
  state.releases.set(id, {
    parts,
    manifest: text(fields.manifest),
    system: null,
    stagedAt: clock.now(),
    wasConfirmed: false,
  });
}

/** What was staged within the hour may belong to an operator that is about to build it. */
const recentMs = 3_600_000;

export const prune: Command = (machine, call) => {
  admit(machine, call);
  const { state } = machine;
  const kept = new Set([
    state.current,
    state.confirmed,
    state.trial?.id,
    state.trial?.from,
    state.build?.subject,
  ]);
  for (const [id, release] of state.releases) {
    const isRecent = machine.clock.now() - release.stagedAt < recentMs;
    if (!kept.has(id) && !isRecent && !release.wasConfirmed) state.releases.delete(id);
  }
  for (const part of partNames) {
    const used = new Set([...state.releases.values()].map(({ parts }) => parts[part]));
    for (const hash of state.stored[part].keys()) if (!used.has(hash)) state.stored[part].delete(hash);
  }
  return accepted;
};
