export type TokenKind = 'word' | 'search path' | 'path' | 'uri' | 'string' | 'symbol';
/** `text` of a string is how it begins, quote included; `line` counts from 1. */
export type Token = { kind: TokenKind; text: string; line: number };

/**
 * In the order in which they are tried; where two could match, the longer one comes first (Nix's lexer.l). Repetitions that can
 * fail at their end are bounded, so that hostile text takes no quadratic time.
 */
const rules: readonly [TokenKind | 'nothing', RegExp][] = [
  ['nothing', /[ \t\r\n]+|#[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ['symbol', /\/\/|\+\+|->|&&|\|\||[=!<>]=/y],
  ['uri', /[A-Za-z][A-Za-z0-9+.-]{0,31}:[A-Za-z0-9%/?:@&=+$,_.!~*'-]+/y],
  ['search path', /<[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)*>/y],
  ['path', /(?:~|[A-Za-z0-9._+-]{0,255})(?:\/[A-Za-z0-9._+-]+)+\/?|[A-Za-z0-9._+-]{0,255}\/(?=\$\{)/y],
  ['word', /[A-Za-z_][A-Za-z0-9_'-]*|[0-9][0-9.eE]*/y],
  ['symbol', /[\s\S]/y],
];
/** What a string is made of between its quotes, escapes first; `${` and the closing quote end a run. */
const inString = /(?:\\[\s\S]|\$\$|\$(?!\{)|[^"\\$]+)+/y;
const inIndented = /(?:''['$]|''\\[\s\S]|\$\$|\$(?!\{)|'(?!')|[^'$]+)+/y;

type Mode = { kind: 'code'; braces: number } | { kind: 'string'; closedBy: string };

/**
 * Nix text as tokens, without comments. Strings are entered only where they interpolate. Never throws: of text that Nix would
 * not parse it makes what it can.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const modes: Mode[] = [{ kind: 'code', braces: 0 }];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const mode = modes.at(-1)!;
    const [kind, length] =
      mode.kind === 'code' ? nextInCode(text, at) : nextInString(text, at, mode.closedBy);
    const found = text.slice(at, at + length);
    if (kind !== 'nothing')
      tokens.push({ kind, text: kind === 'string' ? text.slice(at, at + 80) : found, line });
    follow(found, kind, modes);
    line += found.split('\n').length - 1;
    at += length;
  }
  return tokens;
}

function nextInCode(text: string, at: number): [Token['kind'] | 'nothing', number] {
  if (text.startsWith('"', at)) return ['string', 1];
  if (text.startsWith("''", at)) return ['string', 2];
  if (text.startsWith('${', at)) return ['symbol', 2];
  for (const [kind, rule] of rules) {
    rule.lastIndex = at;
    const found = rule.exec(text)?.[0];
    if (found) return [kind, found.length];
  }
  return ['nothing', 1];
}

function nextInString(text: string, at: number, closedBy: string): ['nothing' | 'symbol', number] {
  if (text.startsWith('${', at)) return ['symbol', 2];
  const run = closedBy === '"' ? inString : inIndented;
  run.lastIndex = at;
  const found = run.exec(text)?.[0];
  return ['nothing', found ? found.length : closedBy.length];
}

/** Enters and leaves strings, and the braces of interpolations. */
function follow(found: string, kind: Token['kind'] | 'nothing', modes: Mode[]): void {
  const mode = modes.at(-1)!;
  if (kind === 'string') modes.push({ kind: 'string', closedBy: found });
  else if (mode.kind === 'string') {
    if (found === mode.closedBy) modes.pop();
    else if (found === '${') modes.push({ kind: 'code', braces: 1 });
  } else if (found === '{' || found === '${') mode.braces += 1;
  else if (found === '}') {
    mode.braces -= 1;
    if (mode.braces === 0 && modes.length > 1) modes.pop();
  }
}
