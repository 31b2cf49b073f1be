/** What a kubeconfig of a ClusterAccess consists of, and how it gets into a file with others. Pure. */
import { type Document, isMap, isSeq, parse, parseDocument, stringify, type YAMLMap } from 'yaml';
import { CliError } from './command.ts';

export type Entry = {
  /** Of cluster, user and context alike. */
  name: string;
  cluster: { server: string; 'certificate-authority-data': string };
  user: { 'client-certificate-data': string; 'client-key-data': string };
};

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The fields that Firn writes and no others: whoever can change the Secret must not be able to have a program run by
 * everybody's kubectl (`users[].user.exec`). Throws `CliError`, without any of the text.
 */
export function readEntry(text: string): Entry {
  const config = parsed(text);
  const { name } = (config.contexts?.[0] ?? {}) as { name?: unknown };
  const { server, ...cluster } = config.clusters?.[0]?.cluster ?? {};
  const authority = cluster['certificate-authority-data'];
  const user = config.users?.[0]?.user ?? {};
  const [certificate, key] = [user['client-certificate-data'], user['client-key-data']];
  const isData = (value: unknown): value is string => typeof value === 'string' && base64.test(value);
  if (!isName(name) || !isUrl(server) || !isData(authority) || !isData(certificate) || !isData(key))
    throw new CliError('the Secret holds something else than a kubeconfig of Firn');
  return {
    name,
    cluster: { server, 'certificate-authority-data': authority },
    user: { 'client-certificate-data': certificate, 'client-key-data': key },
  };
}

/** It is said in a terminal, which would obey control characters. */
const isName = (value: unknown): value is string => typeof value === 'string' && !/\p{Cc}/u.test(value);

const isUrl = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith('https://') && URL.canParse(value);

type Fields = Readonly<Record<string, unknown>>;
type Config = {
  clusters?: { cluster?: Fields }[];
  users?: { user?: Fields }[];
  contexts?: unknown[];
};

function parsed(text: string): Config {
  try {
    return (parse(text, { maxAliasCount: 0, logLevel: 'error' }) ?? {}) as Config;
  } catch {
    throw new CliError('the Secret holds something else than a kubeconfig of Firn');
  }
}

/** A file with this entry alone. */
export const entryText = (entry: Entry): string =>
  stringify(
    { apiVersion: 'v1', kind: 'Config', ...listsOf(entry), 'current-context': entry.name },
    { lineWidth: 0 },
  );

const listsOf = ({ name, cluster, user }: Entry) => ({
  clusters: [{ name, cluster }],
  users: [{ name, user }],
  contexts: [{ name, context: { cluster: name, user: name } }],
});

/**
 * `text` with the entry in place of one of its name, and everything else as it is, comments too. Throws `CliError` where the
 * name belongs to another cluster there.
 */
export function mergeEntry(text: string, entry: Entry): string {
  const document = readConfig(text);
  refuseOther(document, entry);
  for (const [list, [item]] of Object.entries(listsOf(entry))) put(document, list, item!);
  if (!document.get('current-context')) document.set('current-context', entry.name);
  return document.toString({ lineWidth: 0 });
}

/** Whether nothing in the file is about anything else, so that it can be replaced as a whole. */
export function holdsOnly(text: string, { name }: Entry): boolean {
  const names = ['clusters', 'users', 'contexts'].flatMap((list) =>
    itemsIn(readConfig(text), list).map(nameIn),
  );
  return names.every((one) => one === name);
}

function readConfig(text: string): Document {
  const document = parseDocument(text, { logLevel: 'error' }) as Document;
  if (document.errors.length > 0) throw new CliError('the file is there already, and is no kubeconfig');
  if (document.contents === null) return parseDocument('apiVersion: v1\nkind: Config\n') as Document;
  if (!isMap(document.contents)) throw new CliError('the file is there already, and is no kubeconfig');
  return document;
}

function itemsIn(document: Document, list: string): YAMLMap[] {
  const found = document.get(list);
  return isSeq(found) ? found.items.filter(isMap) : [];
}

const nameIn = (item: YAMLMap): unknown => item.get('name');

/** The same server or the same authorities: it is the same cluster, renewed or moved. */
function refuseOther(document: Document, { name, cluster }: Entry): void {
  const there = itemsIn(document, 'clusters').find((item) => nameIn(item) === name);
  const others = ['users', 'contexts'].flatMap((list) =>
    itemsIn(document, list).filter((item) => nameIn(item) === name),
  );
  if (!there && others.length === 0) return;
  const isSame = (['server', 'certificate-authority-data'] as const).some(
    (field) => there?.getIn(['cluster', field]) === cluster[field],
  );
  if (!isSame)
    throw new CliError(`the file has another ${JSON.stringify(name)} already: choose a name with --as`);
}

function put(document: Document, list: string, item: { name: string }): void {
  const found = document.get(list);
  const node = document.createNode(item);
  if (!isSeq(found)) {
    document.set(list, document.createNode([item]));
    return;
  }
  const at = found.items.findIndex((one) => isMap(one) && nameIn(one) === item.name);
  if (at === -1) found.items.push(node);
  else found.items[at] = node;
}
