// @peculiar/x509 resolves its parts through decorators, which need this polyfill loaded before it.
import 'reflect-metadata';

import * as x509 from '@peculiar/x509';

export { x509 };
