import { type Token, tokenize } from './tokens.ts';

/** Something that a flake's pure evaluation refuses or finds empty. */
export type Impurity = {
  /** From 1. */
  line: number;
  /** As the user wrote it, at most 80 characters. */
  found: string;
  /** What to write instead: a sentence without a full stop. */
  suggestion: string;
};

const findingsShown = 20;

/**
 * What is impure in a module's text, in the order of lines. It judges words, not meaning: so it explains an evaluation that
 * failed, and refuses nothing by itself.
 */
export function findImpurities(text: string): Impurity[] {
  const tokens = tokenize(text);
  const findings = tokens.flatMap((token, index) => {
    const suggestion = judge(token, index, tokens);
    return suggestion === undefined ? [] : [{ line: token.line, found: token.text.slice(0, 80), suggestion }];
  });
  return findings.slice(0, findingsShown);
}

/** One line for a status: `base line 3: <nixpkgs>: use …`. */
export const describeImpurity = (module: string, { line, found, suggestion }: Impurity): string =>
  `${module} line ${line}: ${found}: ${suggestion}`;

function judge(token: Token, index: number, tokens: readonly Token[]): string | undefined {
  switch (token.kind) {
    case 'search path':
      return judgeSearchPath(token.text);
    case 'path':
      if (token.text.startsWith('~/'))
        return 'no home folder is read; put the content into a module or a file';
      return token.text.startsWith('/') ? hostPath : undefined;
    case 'word':
      return judgeWord(token.text, index, tokens);
    default:
      return undefined;
  }
}

const hostPath =
  'files of the evaluating machine are not read; quote the path if the running system is meant, or use files';

function judgeSearchPath(text: string): string {
  const [, inModules] = /^<nixpkgs\/nixos\/modules(\/.+)>$/.exec(text) ?? [];
  if (inModules) return `take modulesPath as an argument and write (modulesPath + "${inModules}")`;
  if (text === '<nixpkgs>' || text === '<nixpkgs/lib>') return 'take pkgs and lib as arguments of the module';
  if (text.startsWith('<nixpkgs/')) return `write (pkgs.path + "${text.slice('<nixpkgs'.length, -1)}")`;
  return 'NIX_PATH is not read; give the module as a NixModule';
}

const builtinsThatAsk: Record<string, string> = {
  getEnv: 'the environment is empty; write the value',
  currentSystem: 'write pkgs.stdenv.hostPlatform.system',
  currentTime: 'there is no clock; write the value',
  nixPath: 'NIX_PATH is not read',
  storePath: 'write the package, such as pkgs.hello',
};
/** Fetchers, and the attributes of which one makes them pure. */
const fetchers: Record<string, readonly string[]> = {
  fetchTarball: ['sha256'],
  fetchurl: ['sha256'],
  fetchGit: ['rev', 'narHash'],
  fetchMercurial: ['rev'],
  fetchTree: ['rev', 'narHash'],
};
/** Fetchers that are in scope without `builtins.`. */
const inScope = new Set(['fetchTarball', 'fetchGit', 'fetchMercurial', 'fetchTree']);
const readers = new Set(['import', 'readFile', 'readDir', 'pathExists', 'path']);

function judgeWord(word: string, index: number, tokens: readonly Token[]): string | undefined {
  const selected = tokens[index - 1]?.text === '.';
  const ofBuiltins = selected && tokens[index - 2]?.text === 'builtins';
  const next = tokens[index + 1];
  if (ofBuiltins && Object.hasOwn(builtinsThatAsk, word)) return builtinsThatAsk[word];
  if (Object.hasOwn(fetchers, word) && (ofBuiltins || (!selected && inScope.has(word)))) {
    // `fetchTarball = …` defines a name, and `{ fetchTarball, … }` takes one.
    const isUse = next?.text === '{' || next?.text === '(' || next?.kind === 'string' || next?.kind === 'uri';
    const pinned = fetchers[word]!;
    if (isUse && !hasAttribute(tokens, index + 1, pinned)) return `give it ${pinned.join(' or ')}`;
  }
  const reads = readers.has(word) && (ofBuiltins || (!selected && word === 'import'));
  return reads && next?.kind === 'string' && /^("|'')\//.test(next.text) ? hostPath : undefined;
}

/** Whether the set or the parenthesis that begins at `start` has one of the names, at any depth. */
function hasAttribute(tokens: readonly Token[], start: number, names: readonly string[]): boolean {
  let depth = 0;
  for (let index = start; index < tokens.length; index += 1) {
    const { text } = tokens[index]!;
    if (text === '{' || text === '(' || text === '${') depth += 1;
    if (text === '}' || text === ')') depth -= 1;
    if (depth <= 0) return false;
    if (names.includes(text) && ['=', ';'].includes(tokens[index + 1]?.text ?? '')) return true;
  }
  return false;
}
