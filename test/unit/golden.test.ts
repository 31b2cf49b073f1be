/** What is rendered from the manifests in test/golden, byte for byte. `UPDATE_GOLDEN=1` writes what is rendered now. */
import {
  expectedBundle,
  goldenCases,
  renderCase,
  updateCase,
  withoutFirnModules,
} from '../support/golden.ts';

const firnModules = new Map([['default.nix', '{ }\n']]);

test.each(goldenCases())('%s', (name) => {
  const bundle = withoutFirnModules(renderCase(name, firnModules));
  if (process.env.UPDATE_GOLDEN === '1') updateCase(name, bundle);
  expect(bundle).toEqual(expectedBundle(name));
});
