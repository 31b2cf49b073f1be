/** What is secret in documents that Secrets hold; the rest of them are words of Kubernetes, which are everywhere on hosts. */

export function secretsIn(key: string, value: Buffer): (Buffer | string)[] {
  switch (key) {
    case 'encryption-config.yaml':
      return valuesOf('secret', value);
    case 'kubeconfig': {
      const keys = valuesOf('client-key-data', value);
      return [...keys, ...keys.map((one) => Buffer.from(one, 'base64'))];
    }
    default:
      return [value];
  }
}

const valuesOf = (field: string, document: Buffer): string[] =>
  [...document.toString().matchAll(new RegExp(`^ *${field}: (\\S+)$`, 'gm'))].map(([, value]) => value!);
