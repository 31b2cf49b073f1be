/** YAML as `kubectl apply` reads it, short of what only an attacker needs. Pure. */
import { LineCounter, parseAllDocuments, type ScalarTag, type Tags } from 'yaml';

/** A document that cannot be read. The message has the place, never the text: it may be of a Secret. */
export class UnreadableYaml extends Error {
  override readonly name = 'UnreadableYaml';
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Deeper than any object that the API server takes. */
const maxDepth = 100;

/**
 * Every document of a text, in order; null for one that is empty. Aliases are refused, so that a text stays as large as
 * it is. As in Kubernetes' own reader, which is of YAML 1.1, `0644` is octal and `yes` is true.
 */
export function readYaml(text: string): Json[] {
  const lines = new LineCounter();
  const place = (position: number) => {
    const { line, col } = lines.linePos(position);
    return `line ${line}, column ${col}`;
  };
  const documents = parsed(text, lines);
  return documents.map((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error) throw new UnreadableYaml(`${inWords(error.code)} at ${place(error.pos[0])}`);
    return plain(contentOf(document), 0);
  });
}

function parsed(text: string, lineCounter: LineCounter) {
  try {
    const options = {
      lineCounter,
      // The pretty ones quote the text.
      prettyErrors: false,
      schema: 'yaml-1.1',
      logLevel: 'error',
      customTags,
    } as const;
    const documents = parseAllDocuments(text, options);
    return 'empty' in documents ? [] : documents;
  } catch {
    throw new UnreadableYaml('it is nested too deeply');
  }
}

function contentOf(document: { toJS(options: { maxAliasCount: number }): unknown }): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new UnreadableYaml('it has aliases (*name), which are not read: write out what they stand for');
  }
}

/** Without tags that make something else than JSON knows, and without times of day: 10:30 is a text. */
function customTags(tags: Tags): Tags {
  const foreign = ['binary', 'merge', 'omap', 'pairs', 'set', 'timestamp', 'bool'];
  const kept = tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      !(foreign.includes(tag.tag.split(':').at(-1)!) || ('format' in tag && tag.format === 'TIME')),
  );
  return [
    ...kept,
    truth(true, /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/),
    truth(false, /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/),
  ];
}

const truth = (value: boolean, test: RegExp): ScalarTag => ({
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test,
  resolve: () => value,
});

/** Throws where a value would reach the API server as another one. */
function plain(value: unknown, depth: number): Json {
  if (depth > maxDepth) throw new UnreadableYaml('it is nested too deeply');
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).map(([key, inner]) => [key, plain(inner, depth + 1)] as const);
    return Object.fromEntries(entries);
  }
  if (typeof value === 'number' && !isExact(value)) {
    throw new UnreadableYaml(
      'it has a number that cannot be passed on as it is: quote it, or make it smaller',
    );
  }
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Json;
  throw new UnreadableYaml('it has a value of a kind that JSON does not know');
}

const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

const inWords = (code: string): string => code.toLowerCase().replaceAll('_', ' ');
