import { setTimeout as sleep } from 'node:timers/promises';
import { terminalProgress } from '../../../bootstrap/progress.ts';

function stream(kind: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  const write = (text: string): boolean => {
    written.push(text);
    return true;
  };
  return { written, stream: { ...kind, write } as unknown as NodeJS.WriteStream };
}

test('on a terminal one line is written anew, no wider than the terminal', async () => {
  const { written, stream: terminal } = stream({ isTTY: true, columns: 40 });
  const line = terminalProgress(terminal).start('building x', 90);
  line.update('k8s.io/api/core/v1');
  await sleep(1100);
  line.end();
  expect(written[0]).toBe('firn: building x, once; a first build takes about 90 s\n');
  expect(written[1]).toMatch(/^\r\x1b\[2Kfirn: building x: 1 s/);
  expect(written[1]!.length).toBe('\r\x1b[2K'.length + 39);
  expect(written.at(-1)).toBe('\r\x1b[2Kfirn: building x: done in 1 s\n');
});

test('elsewhere there are whole lines and nothing to move the cursor', () => {
  const { written, stream: file } = stream({ isTTY: false });
  const progress = terminalProgress(file);
  progress.note('hello');
  progress.start('building x', 90).end();
  expect(written).toEqual([
    'firn: hello\n',
    'firn: building x, once; a first build takes about 90 s\n',
    'firn: building x: done in 0 s\n',
  ]);
});
