import { z } from 'zod';
import type { FirnOptions } from './main.ts';

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

const environment = z.object({
  FIRN_NAMESPACE: z.string().min(1),
  FIRN_WATCH_NAMESPACES: z.string().default('').transform(list),
  FIRN_HEALTH_HOST: z.string().default('127.0.0.1'),
  FIRN_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  FIRN_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  FIRN_WORKERS: z.coerce.number().int().min(1).max(256).optional(),
});

/** What the chart sets. Throws an `Error` that names the variable. Variables that are empty are as good as absent. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>) {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const result = environment.safeParse(set);
  if (!result.success) {
    const said = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`the environment is not usable: ${said.join('; ')}`);
  }
  const { data } = result;
  return {
    installationNamespace: data.FIRN_NAMESPACE,
    watchNamespaces: data.FIRN_WATCH_NAMESPACES,
    healthHost: data.FIRN_HEALTH_HOST,
    healthPort: data.FIRN_HEALTH_PORT,
    logLevel: data.FIRN_LOG_LEVEL,
    ...(data.FIRN_WORKERS === undefined ? {} : { workers: data.FIRN_WORKERS }),
  } satisfies Partial<FirnOptions>;
}
