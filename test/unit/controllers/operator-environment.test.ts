import { readEnvironment } from '../../../controllers/operator-environment.ts';

test('what is not set has a default', () => {
  expect(readEnvironment({ FIRN_NAMESPACE: 'firn-system', FIRN_WATCH_NAMESPACES: '', PATH: '/bin' })).toEqual(
    {
      installationNamespace: 'firn-system',
      watchNamespaces: [],
      healthHost: '127.0.0.1',
      healthPort: 8080,
      logLevel: 'info',
    },
  );
});

test('what is set is taken', () => {
  const environment = {
    FIRN_NAMESPACE: 'firn',
    FIRN_WATCH_NAMESPACES: 'a,b',
    FIRN_HEALTH_HOST: '::1',
    FIRN_HEALTH_PORT: '9090',
    FIRN_LOG_LEVEL: 'debug',
    FIRN_WORKERS: '4',
  };
  expect(readEnvironment(environment)).toEqual({
    installationNamespace: 'firn',
    watchNamespaces: ['a', 'b'],
    healthHost: '::1',
    healthPort: 9090,
    logLevel: 'debug',
    workers: 4,
  });
});

test.each([
  ['FIRN_NAMESPACE', ''],
  ['FIRN_HEALTH_PORT', '70000'],
  ['FIRN_HEALTH_PORT', 'x'],
  ['FIRN_LOG_LEVEL', 'loud'],
  ['FIRN_WORKERS', '0'],
])('%s=%j is refused by name', (name, value) => {
  expect(() => readEnvironment({ FIRN_NAMESPACE: 'firn', [name]: value })).toThrow(name);
});
