import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Dialogue, type Step } from '../../controllers/lib/host/dialogue.ts';
import { encodeRequest } from '../../controllers/lib/host/request.ts';
import { readFields } from '../support/ssh-server/invocation.ts';

const nonce = randomBytes(16).toString('hex');
const replyLine = `{"ok":true,"textB64":"${Buffer.from('ü').toString('base64')}"}`;
const session = `\nFIRN-${nonce} root\n\nFIRN-${nonce} need\n\nFIRN-${nonce} run\nFIRN-SEND\n${replyLine}\n\nFIRN-${nonce} end 0\n`;
const expected = ['script', 'program', 'payload', { kind: 'reply', output: `${replyLine}\n`, exitStatus: 0 }];

/** Bytes of any kind, with what looks like ours among them. */
const chatter = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          '\n',
          'FIRN-',
          'FIRN-SEND\n',
          '\nFIRN-0 end 0\n',
          '\nFIRN-SEND\n',
          '{"ok":true}\n',
          ' end 0\n',
          '\r\n',
        )
        .map((text) => Buffer.from(text)),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces));

function feedInPieces(bytes: Buffer, cuts: readonly number[]): (string | object)[] {
  const dialogue = new Dialogue(nonce, 1 << 20);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  const steps: Step[] = [];
  for (const end of ends) {
    steps.push(...dialogue.feed(bytes.subarray(from, end)));
    from = end;
  }
  return steps.map((step) => ('wanted' in step ? step.wanted : step.outcome));
}

test('no bytes before or after the frames, and no way of cutting the stream, change what is read', () => {
  fc.assert(
    fc.property(chatter, chatter, fc.array(fc.nat(), { maxLength: 20 }), (before, after, cuts) => {
      const bytes = Buffer.concat([before, Buffer.from(session), after]);
      expect(feedInPieces(bytes, cuts)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('any text in a request arrives as it was', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '$(id)', "'", '`id`', 'FIRN-REQUEST\n}\n', '\n', '\\', '-n'),
  );
  fc.assert(
    fc.property(text, text, fc.nat(), (owner, uid, fence) => {
      const request = { installation: 'ab', fence, owner, uid, adopt: 1 };
      const lines = encodeRequest('claim', request);
      expect(readFields('claim', lines)).toEqual(request);
      // What a shell reads between the heredoc's words: letters, digits and four harmless characters.
      for (const line of lines) expect(line).toMatch(/^[a-zA-Z0-9]+ [A-Za-z0-9+/=]*$/);
    }),
    { numRuns: 500 },
  );
});
