/** What a person can do about a reason. Hosts and libraries say what they saw; this is what they cannot know. Pure. */

const advice: Readonly<Record<string, string>> = {
  // the way there
  NameNotResolved: 'check spec.ssh.host, and that DNS knows it where the operator runs',
  ConnectionRefused: 'start sshd on the host, or correct spec.ssh.host and spec.ssh.port',
  ConnectTimeout: 'switch the host on; check spec.ssh.host, spec.ssh.port and the firewalls on the way',
  ConnectionLost: 'it is tried again; where it stays, the log of sshd and the firewalls on the way say more',
  DeadlineExceeded:
    'it is tried again; where it stays, look at the load, the memory and the disks of the host',
  JumpFailed: 'check spec.ssh.jump and the jump host',
  ForwardFailed: 'the sshd of the host must allow TCP forwarding, and what it leads to must run',
  ShellUnusable:
    'ssh must run /bin/sh for that user: look at its login shell, what that runs at login, and ForceCommand in sshd_config',
  ProtocolViolation:
    'it is tried again; where it stays, look at what the login shell of that user prints, and at `firn logs`',
  // the host refuses
  Fenced:
    'a newer operator deploys to this host and this one leaves it alone; stop the one that should not run',
  OwnedByOther:
    'delete the NixNode that deploys to this host, or take it over with the annotation firn.dev/adopt: "true" here',
  NoNix: 'install Nix 2.8 or newer on the host, where a login finds it',
  NotNixOS: 'Firn manages NixOS hosts: install NixOS first',
  NoSystemd: 'Firn needs systemd 250 or newer on the host',
  DiskFull:
    'free some space on the host (nix-collect-garbage, journalctl --vacuum-size); nothing was changed there',
  NotPersistent: 'put /var/lib/firn and /var/lib/systemd on a file system that survives a restart',
  HostFailed: 'it is tried again; `firn logs` and the journal of the host say more',
  // a change does not get through
  NixpkgsUnresolved: "check spec.nixpkgs.url, and the host's network; it is tried again",
  EvaluationFailed: 'correct the modules that the message names',
  BuildFailed: 'correct what does not build; `firn logs NODE build` has all of it',
  ActivationFailed: 'correct what the switch complains about; `firn logs NODE activate` has all of it',
  ActivationTimedOut: 'look for a unit that does not get up, or stop, in time',
  UnitsFailed: 'correct the units that the message names; `firn logs NODE activate` has more',
  NotConfirmed: 'look at what the change does to the network, the firewall and sshd',
  FilesFailed: 'correct the files that the message names, their owners, or the units that they restart',
  HostRestarted: 'look at what makes the host restart: a watchdog, a crash, a person',
  WouldNotBoot: 'correct the configuration, or accept the finding: spec.deploy.allow: [WouldNotBoot]',
  WouldLoseNetwork: 'correct the configuration, or accept the finding: spec.deploy.allow: [WouldLoseNetwork]',
  RebootUnprotected:
    'be at its console for the restart, and accept it: spec.deploy.allow: [RebootUnprotected]; or use systemd-boot, which has entries for one boot',
  FormatUnsupported:
    'take the modules of this version of Firn: the system that is rendered must read what is sent',
};

/** A message with what to do about it, as sentences; on a line of its own under a message of several lines. */
export function withAdvice(reason: string, message: string): string {
  const words = Object.hasOwn(advice, reason) ? advice[reason]! : '';
  if (words === '') return message;
  const seen = message.trimEnd().replace(/[.;:,]$/, '');
  const sentence = `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  if (seen.includes('\n')) return `${seen}\n${sentence}.`;
  return `${seen}${/[?!]$/.test(seen) ? '' : '.'} ${sentence}.`;
}
