import { execFileSync } from 'node:child_process';
import { becomeRoot, runProgram } from '../../../controllers/lib/host/bootstrap.ts';
import { type Subcommand, subcommands } from '../../../controllers/lib/host/protocol.ts';

const program = { hash: 'ab'.repeat(32), bytes: 5 };
const scripts = [
  becomeRoot('c0ffee'),
  ...Object.keys(subcommands).map((name) => runProgram('c0ffee', program, name as Subcommand, ['fence 1'])),
];

test.each(scripts)('is one command that a shell can read (%#)', (script) => {
  execFileSync('/bin/sh', ['-n'], { input: script });
  // Cut off anywhere, it is no command: nothing runs before all of it was read.
  expect(script.indexOf('\n}\n')).toBe(script.length - 3);
});

test.each(scripts)('does not hold a frame, so an echo of it is none (%#)', (script) => {
  expect(script).not.toContain('FIRN-c0ffee');
});

test('only the payload of a program that has one is left on standard input', () => {
  expect(runProgram('c0ffee', program, 'observe', [])).toContain('</dev/null\nFIRN-REQUEST');
  expect(runProgram('c0ffee', program, 'stage', [])).toContain("3<<'FIRN-REQUEST'\nFIRN-REQUEST");
});

test.each(['', 'x', "'; id; '", '$(id)'])('refuses %j as a nonce or a hash', (value) => {
  expect(() => becomeRoot(value)).toThrow(TypeError);
  expect(() => runProgram('00', { hash: value, bytes: 1 }, 'observe', [])).toThrow(TypeError);
});
