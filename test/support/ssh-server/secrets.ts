/** The secrets part of a scripted host: an index and the files that it names, as nix/host/lib/secrets.sh takes them. */
import { observedLimits } from '../../../controllers/lib/host/observed.ts';
import type { Tree } from '../../../controllers/lib/nix/tree.ts';
import { Refusal } from './invocation.ts';
import type { HostState } from './state.ts';

type Entry = { source: string; rest: string; pathB64: string };

const entriesOf = (tree: Tree): Entry[] =>
  String(tree.get('index') ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source = '', ...rest] = line.split(' ');
      return { source, rest: rest.join(' '), pathB64: rest[3] ?? '' };
    });

/** Every file that was sent, and every file that is to be kept from another part, under a number of its own. */
export function wholeSecrets({ stored }: HostState, sent: Tree): Tree {
  const whole = new Map<string, string | Uint8Array>();
  const lines = entriesOf(sent).map(({ source, rest, pathB64 }, number) => {
    whole.set(String(number), contentOf(sent, stored.secrets, source, pathB64));
    return `${number} ${rest}\n`;
  });
  return whole.set('index', lines.join(''));
}

function contentOf(
  sent: Tree,
  stored: ReadonlyMap<string, Tree>,
  source: string,
  pathB64: string,
): string | Uint8Array {
  if (/^[0-9]+$/.test(source)) {
    const content = sent.get(source);
    if (content === undefined)
      throw new Refusal('InvalidRequest', `file ${source} of the secrets is missing`);
    return content;
  }
  if (!/^=[0-9a-f]{64}$/.test(source)) {
    throw new Refusal('PayloadCorrupt', "the secrets' index is not of the form it must have");
  }
  const other = stored.get(source.slice(1)) ?? new Map<string, string>();
  const kept = entriesOf(other).find((entry) => entry.pathB64 === pathB64);
  const content = kept && other.get(kept.source);
  if (content === undefined) {
    throw new Refusal(
      'PartMissing',
      `a file is to be kept from the secrets ${source.slice(1)}, which do not have it`,
    );
  }
  return content;
}

type Observed = { pathB64: string; certificate: string };

/** Kept parts do not change, and thousands of hosts are asked again and again. */
const found = new WeakMap<Tree, Observed[]>();

/** What `observe` says of the files of the current release that begin with a certificate. */
export function certificatesOf(state: HostState): Observed[] {
  const parts = state.releases.get(state.current ?? '')?.parts;
  const tree = state.stored.secrets.get(parts?.secrets ?? '');
  if (tree === undefined || state.secretsLost) return [];
  const known = found.get(tree) ?? findCertificates(tree);
  found.set(tree, known);
  return known;
}

const firstCertificate =
  /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n-----END CERTIFICATE-----/;

const findCertificates = (tree: Tree): Observed[] =>
  entriesOf(tree)
    .flatMap(({ source, pathB64 }) => {
      const body = firstCertificate.exec(Buffer.from(tree.get(source) ?? '').toString('latin1'))?.[1];
      const certificate = body?.replaceAll(/[\r\n]/g, '') ?? '';
      const fits = certificate !== '' && certificate.length <= observedLimits.certificateLength;
      return fits ? [{ pathB64, certificate }] : [];
    })
    .slice(0, observedLimits.certificates);
