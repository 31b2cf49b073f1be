/** Kinds of the core group that controllers read; the values of a Secret come out sealed. */
import type { KubeObject, ResourceKind } from '../../../crds/resource.ts';
import { Sealed } from '../core/sealed.ts';

export type Secret = KubeObject & { type: string; data: Readonly<Record<string, Sealed<Uint8Array>>> };
/** Text of `data` and decoded `binaryData` alike. */
export type ConfigMap = KubeObject & { content: Readonly<Record<string, () => Uint8Array>> };

const core = { group: '', version: 'v1', namespaced: true } as const;

export const SecretKind: ResourceKind<Secret> = {
  ...core,
  kind: 'Secret',
  plural: 'secrets',
  parse(raw) {
    const {
      data = {},
      type = '',
      ...rest
    } = raw as KubeObject & {
      data?: Record<string, string>;
      type?: string;
    };
    return {
      ...withoutForeignFields(rest),
      type,
      data: mapValues(data, (value) => new Sealed(decode(value))),
    };
  },
};

export const ConfigMapKind: ResourceKind<ConfigMap> = {
  ...core,
  kind: 'ConfigMap',
  plural: 'configmaps',
  parse(raw) {
    const {
      data = {},
      binaryData = {},
      ...rest
    } = raw as KubeObject & {
      data?: Record<string, string>;
      binaryData?: Record<string, string>;
    };
    return {
      ...withoutForeignFields(rest),
      // Functions, since cached objects are frozen and bytes cannot be.
      content: {
        ...mapValues(data, (text) => () => new TextEncoder().encode(text)),
        ...mapValues(binaryData, (value) => () => decode(value)),
      },
    };
  },
};

/** The API server has validated objects of its own kinds; of them only what is used is kept. */
const withoutForeignFields = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata,
});

const decode = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

const mapValues = <A, B>(values: Record<string, A>, convert: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, convert(value)]));
