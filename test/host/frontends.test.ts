/** Frontends on a host that boots: HAProxy follows the SRV records of its CoreDNS, and no connection fails meanwhile. */
import { readPart } from '../../controllers/lib/host/program.ts';
import { startHosts, type TestHosts } from '../support/hosts/start.ts';
import { ask, type Load, startLoad } from '../support/load.ts';
import { deliver, deployMember, domain, hostsFile, type Member, memberOf } from '../support/members.ts';
import { waitFor } from '../support/wait.ts';

/** Names of services come from a file instead of an API server, and what needs one does not run. */
const settings = `
  firn.mesh.enable = false;
  firn.network.routing = "External";
  firn.kubernetes = { enable = true; roles = [ "frontend" ]; nodeName = "edge1"; };
  # These machines have few file descriptors.
  firn.kubernetes.frontends.maxConnections = 2000;
  firn.dns.plugins = lib.mkForce "file /run/test/zone ${domain} {
    reload 200ms
  }";
  systemd.services.firn-api-balancer.wantedBy = lib.mkForce [ ];
`;
const busybox = '/usr/lib/firn-loader/busybox';
const podPort = 8090;

let started: TestHosts;
let member: Member;
let load: Load | undefined;
let serial = 0;

const podAddress = (pod: number) => `fd88:9::${pod}`;
const run = async (script: string, input = '') => (await member.host.run(script, { input })).stdout.trim();

/** The records that CoreDNS has of a headless service with so many pods. */
async function publish(pods: number): Promise<void> {
  serial += 1;
  const service = `ingress.default.svc.${domain}.`;
  const records = Array.from({ length: pods }, (_, at) => at + 1).map(
    (pod) =>
      `_https._tcp.${service} 5 IN SRV 0 100 ${podPort} p${pod}.${service}\np${pod}.${service} 5 IN AAAA ${podAddress(pod)}\n`,
  );
  const zone = `$ORIGIN ${domain}.\n@ 5 IN SOA ns admin ${serial} 5 5 5 5\n@ 5 IN NS ns\n${records.join('')}`;
  await run('mkdir -p /run/test; cat >/run/test/zone.new; mv /run/test/zone.new /run/test/zone', zone);
}

const startPod = (pod: number) =>
  run(`mkdir -p /run/test/pod${pod}; echo pod${pod} >/run/test/pod${pod}/index.html
    ip addr replace ${podAddress(pod)}/128 dev lo
    systemd-run -q -u pod${pod} ${busybox} httpd -f -p '[${podAddress(pod)}]:${podPort}' -h /run/test/pod${pod}`);

/** Pods begin to serve before they are named; those that go serve for a moment after they are not (`preStop`). */
async function scale(from: number, to: number): Promise<void> {
  const between = (low: number, high: number) =>
    Array.from({ length: Math.max(0, high - low) }, (_, at) => low + at + 1);
  for (const pod of between(from, to)) await startPod(pod);
  await publish(to);
  if (to >= from) return;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const pod of between(to, from)) await run(`systemctl stop pod${pod}`);
}

const web = (host: Member['host']) =>
  `frontend web TCP leastconn 20 PLAIN default ingress https\nbind web ${host.address} 8443\nbind web ${host.address6} 8443\n`;
const site = 'frontend site HTTP roundrobin 20 PLAIN default ingress https\nbind site * 8080\n';

/** As the operator sees it. */
const observed = async (): Promise<unknown> => {
  const program = `${readPart('lib/observe-frontends.sh')}\nobserve_frontends`;
  return JSON.parse(`{"x":0${await run(program)}}`).frontends;
};

const answersAt = async (port: number, host = member.host.address) => {
  const answer = await ask({ host, port });
  return 'body' in answer ? answer.body : answer.failure;
};

beforeAll(async () => {
  started = await startHosts({ count: 1, flavour: 'nixos', names: ['edge1'] });
  member = memberOf(started.hosts[0]!, 0);
  await scale(0, 1);
  await deliver(member, {
    hosts: hostsFile([member]),
    'node-addresses': '',
    frontends: web(member.host) + site,
  });
  await deployMember(member, settings);
  await waitFor('a pod behind the frontends', async () => (await answersAt(8443)) === 'pod1', {
    withinMs: 60_000,
  });
}, 300_000);
afterEach(async () => {
  await load?.stop();
  load = undefined;
});
afterAll(async () => {
  await started?.stop();
});

test('users of both families reach pods that have IPv6 alone, by TCP and by HTTP', async () => {
  const { address, address6 } = member.host;
  for (const port of [8443, 8080])
    for (const host of [address, address6]) expect(await answersAt(port, host)).toBe('pod1');
});

test('the host says which frontends there are, and which pods answer', async () => {
  await scale(1, 2);
  await waitFor('the second pod', async () => JSON.stringify(await observed()).includes('"up":2'), {
    withinMs: 30_000,
  });
  expect(await observed()).toEqual([
    { name: 'web', servers: 2, up: 2 },
    { name: 'site', servers: 2, up: 2 },
  ]);
  await run('systemctl stop pod2');
  await waitFor('its end', async () => JSON.stringify(await observed()).includes('"servers":2,"up":1'), {
    withinMs: 30_000,
  });
  await publish(1);
});

test('it runs in the slice as nobody in particular, and may bind low ports', async () => {
  const pid = await run('systemctl show --value -p MainPID firn-frontends');
  expect(await run('systemctl show --value -p Slice firn-frontends')).toBe('kubernetes.slice');
  expect(await run(`stat -c %U /proc/${pid}`)).not.toBe('root');
  // CAP_NET_BIND_SERVICE is the tenth.
  expect(await run(`sed -n 's/^Cap\\(Bnd\\|Eff\\):[[:space:]]*//p' /proc/${pid}/status`)).toBe(
    '0000000000000400\n0000000000000400',
  );
});

test('no connection fails while pods come and go, and while frontends do', async () => {
  const { host } = member;
  const loads = [
    startLoad({ host: host.address, port: 8443 }, 8),
    startLoad({ host: host.address6, port: 8080 }, 8),
  ];
  load = {
    soFar: loads[0]!.soFar,
    stop: async () => (await Promise.all(loads.map((one) => one.stop())))[0]!,
  };
  await scale(1, 5);
  const everyPod = () => loads.every((one) => Object.keys(one.soFar().answers).length === 5);
  await waitFor('all pods to answer', everyPod, { withinMs: 60_000 });
  await deliver(member, {
    frontends: `${web(host)}${site}frontend more TCP random 5 PLAIN default ingress https\nbind more * 9000\n`,
  });
  expect(await answersAt(9000)).toMatch(/^pod/);
  await scale(5, 1);
  await run('systemctl restart firn-dns');
  await deliver(member, { frontends: web(host) + site });
  await scale(1, 5);
  await deliver(member, { frontends: web(host) + site.replace('roundrobin', 'leastconn') });
  await scale(5, 1);
  const counted = await Promise.all(loads.map((one) => one.stop()));
  const answers = counted.map((one) => Object.values(one.answers).reduce((sum, count) => sum + count, 0));
  console.log(
    `answers over TCP and HTTP while scaling twice and reloading three times: ${answers.join(' and ')}`,
  );
  expect(counted.map(({ failures }) => failures)).toEqual([[], []]);
  expect(Math.min(...answers)).toBeGreaterThan(500);
});

test('what leaves the file is closed, and a port is open at its address alone', async () => {
  const { host } = member;
  expect(await run('ss -Hltn "sport = 9000"')).toBe('');
  await deliver(member, { frontends: `${web(host)}bind web ${member.addresses[1]} 9443\n` });
  expect(await run(`${busybox} wget -q -O - http://${member.addresses[1]}:9443/`)).toBe('pod1');
  // Somebody else listens there at every address, and is not what was to be opened.
  await run(`mkdir -p /run/test/other; echo other >/run/test/other/index.html
    systemd-run -q -u other ${busybox} httpd -f -p ${host.address}:9443 -h /run/test/other`);
  const fromHere = async () =>
    (
      await member.host.run(`${busybox} wget -q -O - http://${host.address}:9443/`, {
        allowFailure: true,
      })
    ).stdout;
  await waitFor('somebody else', async () => (await fromHere()).trim() === 'other', { withinMs: 10_000 });
  const closed = await ask({ host: host.address, port: 9443 }, 3_000);
  expect(closed).toEqual({ failure: 'no answer in time' });
  await deliver(member, { frontends: web(host) + site });
});

test('an address that comes later is listened on already', async () => {
  await deliver(member, {
    frontends: `${web(member.host)}${site}bind site 198.18.7.7 81\nbind site 2001:db8:7::7 81\n`,
  });
  await run('ip addr add 198.18.7.7/32 dev lo; ip addr add 2001:db8:7::7/128 dev lo');
  for (const address of ['198.18.7.7', '[2001:db8:7::7]'])
    expect(await run(`${busybox} wget -q -O - http://${address}:81/`)).toBe('pod1');
  await deliver(member, { frontends: web(member.host) + site });
});

test('a port that somebody else has is refused, and what there was serves on', async () => {
  load = startLoad({ host: member.host.address, port: 8443 }, 2);
  await expect(deliver(member, { frontends: `${web(member.host)}${site}bind site * 22\n` })).rejects.toThrow(
    'firn-frontends',
  );
  expect(await run('journalctl -q -o cat -u firn-frontends -n 50')).toContain('goes on with the frontends');
  expect(await answersAt(8443)).toBe('pod1');
  await deliver(member, { frontends: web(member.host) + site });
  expect((await load.stop()).failures).toEqual([]);
});

test('a frontend that is for another service now sends nobody to the former one’s pods', async () => {
  await deliver(member, { frontends: web(member.host).replace('ingress', 'other') + site });
  expect(await answersAt(8443)).not.toMatch(/^pod/);
  expect(await answersAt(8080)).toBe('pod1');
  await deliver(member, { frontends: web(member.host) + site });
  await waitFor('its pods again', async () => (await answersAt(8443)) === 'pod1', { withinMs: 30_000 });
});

test('while names are not to be had, what is known goes on', async () => {
  await run('systemctl stop firn-dns');
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await answersAt(8443)).toBe('pod1');
  await run('systemctl start firn-dns');
});
