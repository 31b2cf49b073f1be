import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import type { Outcome } from '../../../controllers/lib/host/dialogue.ts';
import { HostError } from '../../../controllers/lib/host/host-error.ts';
import { readOutcome } from '../../../controllers/lib/host/reply.ts';

const endpoint = {
  host: '192.0.2.11',
  port: 2222,
  user: 'deploy',
  privateKey: new Sealed('secret'),
  hostKeys: [],
  trustFirstKey: false,
};
const reply = (output: string, exitStatus = 0): Outcome => ({ kind: 'reply', output, exitStatus });
const read = (outcome: Outcome, subcommand: 'prune' | 'stage' | 'log' = 'prune', stderr = ''): unknown => {
  try {
    return readOutcome(subcommand, outcome, { endpoint, subcommand, stderr });
  } catch (error) {
    if (error instanceof HostError)
      return { code: error.code, refusal: error.refusal, message: error.message };
    throw error;
  }
};

test('the last object counts, whatever a background process adds', () => {
  expect(read(reply('{"ok":false}\n{"ok":true}\nlate words\n'))).toEqual({ ok: true });
});

test('text comes back decoded', () => {
  expect(read(reply(`{"ok":true,"textB64":"${Buffer.from('ü\n').toString('base64')}"}`), 'log')).toEqual({
    ok: true,
    textB64: 'ü\n',
  });
});

test('a refusal keeps its code and its sentence', () => {
  const message = Buffer.from('a newer operator was here').toString('base64');
  expect(read(reply(`{"ok":false,"code":"Fenced","messageB64":"${message}"}`, 1))).toEqual({
    code: 'Refused',
    refusal: 'Fenced',
    message: 'a newer operator was here',
  });
});

test.each(['', 'nothing', '{"ok":', '{"ok":false,"code":"Unheard","messageB64":""}', '{"ok":1}', '[]'])(
  'what is no reply is a violation: %j',
  (output) => {
    expect(read(reply(output, 3))).toMatchObject({
      code: 'ProtocolViolation',
      message: expect.stringContaining('3'),
    });
  },
);

test('standard error is shown, unless secrets went in', () => {
  const stderr = 'line 3: \u001b[31msyntax\u001b[0m error\r\n';
  expect(read(reply(''), 'prune', stderr)).toMatchObject({
    message: expect.stringContaining('line 3: syntax error'),
  });
  expect(read(reply(''), 'stage', stderr)).toMatchObject({ message: expect.not.stringContaining('syntax') });
});

test.each<[Outcome, string, string | undefined, string]>([
  [{ kind: 'fail', code: 'sudo', message: 'sudo: not found' }, 'SudoRefused', undefined, 'NOPASSWD: /bin/sh'],
  [{ kind: 'fail', code: 'notroot', message: 'deploy' }, 'SudoRefused', undefined, 'deploy'],
  [{ kind: 'fail', code: 'tools', message: 'sha256sum' }, 'ShellUnusable', undefined, 'sha256sum'],
  [{ kind: 'fail', code: 'corrupt', message: '' }, 'ProtocolViolation', undefined, 'alters'],
  [{ kind: 'fail', code: 'store', message: 'No space left on device' }, 'Refused', 'DiskFull', 'No space'],
  [
    { kind: 'fail', code: 'store', message: 'Read-only file system' },
    'Refused',
    'NotPersistent',
    'Read-only',
  ],
  [{ kind: 'fail', code: 'store', message: 'Permission denied' }, 'Refused', 'Failed', '/var/lib/firn/bin'],
  [{ kind: 'flooded' }, 'ProtocolViolation', undefined, 'login'],
])('%j', (outcome, code, refusal, words) => {
  const error = read(outcome);
  expect(error).toMatchObject({ code, refusal, message: expect.stringContaining(words) });
  expect(error).toMatchObject({
    message: expect.stringContaining(code === 'Refused' ? '' : 'deploy@192.0.2.11:2222'),
  });
});
