/** Secrets in manifests, on their way to an API server. */
import { parseAllDocuments } from 'yaml';
import { leastSearched } from './forms.ts';
import { keepSecret } from './registry.ts';

type Manifest = {
  kind?: string;
  metadata?: { name?: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  items?: Manifest[];
};

/** Keeps every value of every Secret in YAML or JSON; what is neither is for kubectl to refuse. */
export function keepSecretsOf(text: string): void {
  if (!/\bSecret\b/.test(text)) return;
  for (const document of parseAllDocuments(text)) {
    if ('errors' in document && document.errors.length === 0)
      keepSecretsIn(document.toJS() as Manifest | null);
  }
}

function keepSecretsIn(manifest: Manifest | null): void {
  for (const item of manifest?.items ?? []) keepSecretsIn(item);
  if (manifest?.kind !== 'Secret') return;
  for (const [key, value] of valuesOf(manifest))
    keepSecret(`Secret ${manifest.metadata?.name} ${key}`, value);
}

/** Throws where a value is so short that it could not be looked for: a test has to say something unmistakable. */
export function requireSearchable(manifest: object): void {
  if ((manifest as Manifest).kind !== 'Secret') return;
  for (const [key, value] of valuesOf(manifest as Manifest)) {
    if (value.length > 0 && value.length < leastSearched)
      throw new Error(`the value of ${key} is too short to be searched for when it got out: use newCanary()`);
  }
}

const valuesOf = ({ data = {}, stringData = {} }: Manifest): [string, Buffer][] => [
  ...Object.entries(data).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'base64')]),
  ...Object.entries(stringData).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]),
];
