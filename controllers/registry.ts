/** Every controller of the operator. */
import type { Controller } from './lib/runtime/controller.ts';
import { declaration as nixNode, nixNodeController } from './nixnode/controller.ts';
import type { Services } from './nixnode/services.ts';

/** What they read and write, as data. */
export const declarations = [nixNode] as const;

export const controllersWith = (services: Services): Controller[] => [nixNodeController(services)];
