import { ReconcileError } from '../../../controllers/lib/core/outcome.ts';
import { Sealed } from '../../../controllers/lib/core/sealed.ts';
import { HostError } from '../../../controllers/lib/host/host-error.ts';
import { answeredError, KubeError } from '../../../controllers/lib/kube/kube-error.ts';
import { createLogger } from '../../../controllers/lib/runtime/log.ts';

function logged(fields: object): string {
  let text = '';
  const log = createLogger({
    level: 'info',
    destination: {
      write: (line) => {
        text += line;
      },
    },
  });
  log.info(fields, 'a message');
  return text;
}

/** As client-node throws it: with the answer's body and headers. */
class ApiException extends Error {
  readonly code = 403;
  readonly body = { message: 'canary' };
  readonly headers = { authorization: 'canary' };
}

function jsonError(): unknown {
  try {
    return JSON.parse('canary');
  } catch (error) {
    return error;
  }
}

test.each([
  ['an error of a library', new ApiException('HTTP-Code: 403 Body: canary')],
  ['what JSON.parse says', jsonError()],
  [
    'an argument that Node refuses',
    Object.assign(new TypeError("Received 'canary'"), { code: 'ERR_INVALID_ARG_VALUE' }),
  ],
  ['a cause', new ReconcileError('transient', 'Failed', 'it failed', { cause: new Error('canary') })],
  ['a thrown string', 'canary'],
  ['an aggregate', new AggregateError([new Error('canary')], 'canary')],
])('%s is logged without its words', (_, err) => {
  expect(logged({ err })).not.toContain('canary');
  expect(JSON.parse(logged({ err })).err.name).toBeDefined();
});

test('an error that is logged bare goes through the same door', () => {
  expect(logged(new ApiException('canary'))).not.toContain('canary');
});

test('sealed values print as such, however deep', () => {
  const text = logged({ spec: { files: [{ content: new Sealed('canary') }] } });
  expect(text).toContain('[sealed]');
  expect(text).not.toContain('canary');
});

test('our own errors are logged with what they have to say', () => {
  expect(JSON.parse(logged({ err: new KubeError('GET /api', 503, 'ServiceUnavailable') })).err).toEqual({
    name: 'KubeError',
    reason: 'ServiceUnavailable',
    status: 503,
    message: 'GET /api: 503 ServiceUnavailable',
  });
  const host = new HostError('ConnectionRefused', 'no route to 192.0.2.1');
  expect(JSON.parse(logged({ err: host })).err).toMatchObject({
    code: 'ConnectionRefused',
    message: 'no route to 192.0.2.1',
  });
});

test('a bug of ours is logged with message and place', () => {
  const { err } = JSON.parse(
    logged({ err: new TypeError("Cannot read properties of undefined (reading 'x')") }),
  );
  expect(err.message).toContain("reading 'x'");
  expect(err.at[0]).toContain('log.test.ts');
});

test('what the API server says about refused values is not repeated, which fields they are is', () => {
  const body = JSON.stringify({
    kind: 'Status',
    message: 'Secret "x" is invalid: data: Invalid value: "canary"',
    reason: 'Invalid',
    details: { causes: [{ field: 'data.key', message: 'Invalid value: "canary"' }] },
  });
  const error = answeredError('PATCH /api/v1/namespaces/n/secrets/x', 422, body);
  expect(error.message).toBe('PATCH /api/v1/namespaces/n/secrets/x: 422 Invalid (data.key)');
  expect(answeredError('GET /x', 502, '<html>canary').message).toBe('GET /x: 502 Unknown');
});
