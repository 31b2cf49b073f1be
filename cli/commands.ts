/** Every command; help, suggestions and completion are made of this. */
import type { Command } from './command.ts';
import { completion } from './commands/completion.ts';
import { kubeconfig } from './commands/kubeconfig.ts';
import { logs } from './commands/logs.ts';
import { mesh } from './commands/mesh.ts';
import { render } from './commands/render.ts';
import { resume } from './commands/resume.ts';
import { rollback } from './commands/rollback.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';

export const commands: readonly Command[] = [
  start,
  status,
  logs,
  rollback,
  resume,
  render,
  mesh,
  kubeconfig,
  completion,
];
