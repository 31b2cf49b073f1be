import { ReconcileError } from '../core/outcome.ts';

/**
 * What can be printed. A `number` that is an integer becomes a Nix integer and must be safe; larger ones, up to 64 bits,
 * are given as `bigint`. Any other finite number becomes a float.
 */
export type NixValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly NixValue[]
  | { readonly [name: string]: NixValue };

const lineWidth = 100;
/** Far above what a configuration needs, far below what overflows a stack here or in Nix. */
const maxDepth = 100;
const smallestInt = -(2n ** 63n);
const largestInt = 2n ** 63n - 1n;
/** Below this a double is subnormal, and Nix's lexer refuses what `strtod` reports as out of range. */
const smallestNormal = 2.2250738585072014e-308;

/** `or` and the lexer's own words (nix.dev manual, "Identifiers"); as attribute names they need quotes. */
const keywords = new Set(['assert', 'else', 'if', 'in', 'inherit', 'let', 'or', 'rec', 'then', 'with']);
const identifier = /^[A-Za-z_][A-Za-z0-9_'-]*$/;
const pathSegment = /^(?!\.{1,2}$)[A-Za-z0-9._+-]+$/;

/**
 * A value as Nix text, without a final newline: `eval(print(x)) = x`. Attribute names are sorted, so equal values
 * give equal text. Throws a terminal `ReconcileError` (`ValueNotRepresentable`) that names the value's path, never
 * the value.
 */
export function print(value: NixValue): string {
  return printAt(value, [], '');
}

/** A path relative to the file it is written in, as Nix text: `modules/a.nix` → `./modules/a.nix`. */
export function printRelativePath(path: string): string {
  if (!path.split('/').every((part) => pathSegment.test(part))) {
    throw new Error(`not a relative path that Nix reads as one: ${JSON.stringify(path)}`);
  }
  return `./${path}`;
}

type Where = readonly (string | number)[];

function printAt(value: NixValue, where: Where, indent: string): string {
  if (where.length > maxDepth) throw refuse(where.slice(0, 3), `is nested deeper than ${maxDepth} levels`);
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return printNumber(value, where);
    case 'bigint':
      return printInteger(value, where);
    case 'string':
      return printString(value, where);
    case 'object':
      if (value === null) return 'null';
      return isList(value) ? printList(value, where, indent) : printSet(value, where, indent);
    default:
      throw refuse(where, `is a JavaScript ${typeof value}, which Nix has no value for`);
  }
}

const isList = (value: object): value is readonly NixValue[] => Array.isArray(value);

function printNumber(value: number, where: Where): string {
  if (!Number.isFinite(value)) throw refuse(where, 'is not a finite number');
  if (Number.isInteger(value)) {
    if (!Number.isSafeInteger(value)) throw refuse(where, 'is an integer beyond 2^53, which lost digits');
    return String(value);
  }
  if (Math.abs(value) < smallestNormal) throw refuse(where, 'is a number too close to zero for Nix');
  const shortest = String(value);
  // Nix's lexer wants a point before an exponent: `1e-7` is an integer followed by a name.
  return shortest.includes('.') ? shortest : shortest.replace('e', '.0e');
}

function printInteger(value: bigint, where: Where): string {
  if (value < smallestInt || value > largestInt)
    throw refuse(where, 'is an integer that does not fit 64 bits');
  // A negative literal is the negation of a positive one, and 2^63 is none.
  return value === smallestInt ? `(${smallestInt + 1n} - 1)` : String(value);
}

const escapes: Record<string, string> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '${': '\\${',
};

function printString(value: string, where: Where): string {
  if (value.includes('\0')) throw refuse(where, 'contains a NUL character, which no Nix string can hold');
  if (!value.isWellFormed())
    throw refuse(where, 'contains half of a surrogate pair, which UTF-8 cannot encode');
  // A carriage return must be escaped: the lexer reads a raw one as a newline.
  return `"${value.replace(/[\\"\n\r\t]|\$\{/g, (found) => escapes[found] ?? found)}"`;
}

function printList(list: readonly NixValue[], where: Where, indent: string): string {
  const inner = `${indent}  `;
  const items = Array.from(list, (item, index) => {
    const text = printAt(item, [...where, index], inner);
    return text.startsWith('-') ? `(${text})` : text;
  });
  if (items.length === 0) return '[ ]';
  const line = `[ ${items.join(' ')} ]`;
  const scalars = list.every((item) => typeof item !== 'object' || item === null);
  if (scalars && indent.length + line.length <= lineWidth) return line;
  return `[\n${items.map((item) => `${inner}${item}\n`).join('')}${indent}]`;
}

function printSet(set: { readonly [name: string]: NixValue }, where: Where, indent: string): string {
  // Classes have no meaning in Nix; a `Sealed` that came this far must not look like an empty set.
  const prototype = Object.getPrototypeOf(set);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refuse(where, 'is an object of a class, not a plain value');
  }
  const inner = `${indent}  `;
  const names = Object.keys(set).sort();
  if (names.length === 0) return '{ }';
  const lines = names.map((name) => {
    const at = [...where, name];
    return `${inner}${printName(name, at)} = ${printAt(set[name] as NixValue, at, inner)};\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

function printName(name: string, where: Where): string {
  return identifier.test(name) && !keywords.has(name) ? name : printString(name, where);
}

function refuse(where: Where, what: string): ReconcileError {
  const path = where.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const shown = JSON.stringify(path === '' ? '.' : path).slice(1, -1);
  return new ReconcileError('terminal', 'ValueNotRepresentable', `the value at ${shown} ${what}`);
}
