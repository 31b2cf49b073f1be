import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const launcher = join(import.meta.dirname, '../../../cli/firn.sh');

test.each(['firn', 'kubectl-firn'])('%s runs from any folder, with the Node of the project', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'firn-launcher-'));
  try {
    symlinkSync(launcher, join(folder, name));
    const env = { PATH: '/usr/bin:/bin' };
    const ran = spawnSync(join(folder, name), ['--help'], { cwd: folder, env, encoding: 'utf8' });
    expect(ran.stdout).toContain(`Usage: ${name.replace('-', ' ')} `);
    expect(ran.status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
