import { printAddress } from '../../../controllers/lib/core/network.ts';
import { bind, parseBind } from '../../../crds/bind.ts';

test.each([
  ['192.0.2.1:443', '192.0.2.1', 443],
  ['[2001:DB8::1]:443', '2001:db8::1', 443],
  [':80', null, 80],
  [':65535', null, 65_535],
])('%s', (written, address, port) => {
  const parsed = parseBind(written);
  expect(parsed).toMatchObject({ port });
  expect(parsed?.address && printAddress(parsed.address)).toBe(address);
  expect(bind().safeParse(written).success).toBe(true);
});

test.each([
  '',
  ':',
  '443',
  ':0',
  ':0443',
  ':65536',
  ':99999',
  '0.0.0.0:443',
  '[::]:443',
  '2001:db8::1:443',
  '[192.0.2.1]:443',
  '[::ffff:192.0.2.1]:443',
  '192.0.2.256:443',
  '192.0.2.1',
  '192.0.2.1:443 ssl',
  'example.com:443',
  '[fe80::1%eth0]:443',
  '*:443',
])('%j is no bind', (written) => expect(parseBind(written)).toBeNull());

test.each([':53', '192.0.2.1:6443', '[2001:db8::1]:10250', ':30000', ':32767'])(
  '%s is for Kubernetes',
  (written) => {
    const { success, error } = bind().safeParse(written);
    expect(success).toBe(false);
    expect(error?.issues[0]?.message).toMatch(/leave the ports of Kubernetes alone/);
  },
);
