/** What may be taken for a network: for tests of what is. */
export const networks = [
  '10.88.0.0/16',
  '10.88.0.0/24',
  '10.88.0.0/23',
  '10.88.5.0/24',
  '10.0.0.0/8',
  '10.0.0.0/11',
  '10.88.0.1/24',
  '10.88.0.0/29',
  '10.88.0.0/33',
  '10.88.0.0/016',
  '0.0.0.0/0',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '255.255.255.0/24',
  'fd88::/16',
  'fd88::/112',
  'fd88:1::/107',
  'fd88:1::/128',
  'fd89::/112',
  'fe80::/64',
  'ff00::/8',
  '::/0',
  '::1/128',
  '::ffff:0:0/96',
  '::ffff:10.0.0.0/104',
  '::10.0.0.0/112',
  '2001:DB8::/32',
  'fd88::%eth0/64',
];

/** Lengths at and beside the bounds of subnets. */
export const prefixes = [16, 17, 24, 28, 29, 120, 121];

/** Fields of networks, and what is worth trying there. */
export const networkFields = {
  cidr: networks,
  services: networks,
  allowInbound: networks,
  nodePortAddresses: networks,
};
