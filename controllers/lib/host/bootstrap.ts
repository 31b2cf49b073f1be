/**
 * What is written to the `/bin/sh` on the other side. The text is constant but for a nonce, hashes, sizes and request
 * lines, and every one of those is made of characters that a shell takes as they are.
 *
 * Each script is one compound command: a shell that reads its standard input ahead of what it runs (dash before
 * 0.5.13, busybox ash) has read all of it, and nothing else, before the first command runs. What follows on standard
 * input is sent only after a frame asked for it.
 *
 * A frame is a line `FIRN-<nonce> <word> …` that begins after a newline of its own, so what a login shell printed
 * before it, with or without a newline, cannot hide it. The scripts never contain a frame literally: a host that
 * echoes its input cannot make one by accident.
 */
import type { Subcommand } from './protocol.ts';
import { subcommands } from './protocol.ts';

/** The frames, by the word that follows the nonce. */
export const frames = {
  /** We are root now; the main script may follow. */
  root: 'root',
  /** The program is not there: its bytes may follow. */
  need: 'need',
  /** What follows is the program's standard output. */
  run: 'run',
  /** `fail CODE`: it ends here; lines up to `end` say why. */
  fail: 'fail',
  /** `end STATUS`: nothing follows that matters. */
  end: 'end',
} as const;

/** Codes of the `fail` frame. */
export const failCodes = ['sudo', 'notroot', 'tools', 'store', 'corrupt'] as const;
export type FailCode = (typeof failCodes)[number];

/** The line with which the program asks for its payload. */
export const payloadPrompt = 'FIRN-SEND';

/** Where the programs are, by their hash; only root can write there. */
export const programFolder = '/var/lib/firn/bin';

const environment = `PATH=/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:\
/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C TERM=dumb PAGER=cat SYSTEMD_PAGER=cat
export PATH LC_ALL TERM PAGER SYSTEMD_PAGER
unset ENV BASH_ENV CDPATH
umask 077
say() { printf '\\nFIRN-%s %s\\n' "$n" "$1"; }
fail() { say "fail $1"; printf '%s\\n' "$2"; say "end 1"; exit 1; }`;

/**
 * Becomes root. The check runs the same command that follows, so that one line in sudoers is enough. Who is root
 * already goes on in the same shell.
 */
export const becomeRoot = (nonce: string): string => `{
n=${hex(nonce)}
${environment}
if [ "$(id -u)" != 0 ]; then
  m=$(sudo -n /bin/sh -c : 2>&1 </dev/null) || fail sudo "$m"
  say root
  exec sudo -n /bin/sh
fi
say root
}
`;

/** Lays down the program if it is missing or damaged, and runs one of its subcommands. */
export function runProgram(
  nonce: string,
  program: { hash: string; bytes: number },
  subcommand: Subcommand,
  request: readonly string[],
): string {
  return `{
n=${hex(nonce)} h=${hex(program.hash)} s=${program.bytes}
${environment}
cd /
[ "$(id -u)" = 0 ] || fail notroot "$(id -un)"
for c in base64 cat chmod head mkdir mv rm sha256sum sync; do
  command -v "$c" >/dev/null || fail tools "$c"
done
d=${programFolder} p=$d/$h t=$d/.$h.$n
good() { [ -f "$1" ] && [ ! -L "$1" ] && [ "$(sha256sum <"$1")" = "$h  -" ]; }
if ! good "$p"; then
  m=$({ mkdir -p "$d" && : >"$t"; } 2>&1) || fail store "$m"
  say need
  m=$({ head -c "$s" >"$t" && chmod 700 "$t" && sync "$t"; } 2>&1) || { rm -f "$t"; fail store "$m"; }
  good "$t" || { rm -f "$t"; fail corrupt; }
  m=$({ mv -f "$t" "$p" && sync "$d"; } 2>&1) || { rm -f "$t"; fail store "$m"; }
fi
say run
/bin/sh "$p" ${subcommand} 3<<'FIRN-REQUEST'${subcommands[subcommand].payload ? '' : ' </dev/null'}
${request.map((line) => `${line}\n`).join('')}FIRN-REQUEST
say "end $?"
exit 0
}
`;
}

function hex(value: string): string {
  if (!/^[0-9a-f]+$/.test(value)) throw new TypeError('a nonce or hash must be lower-case hex digits');
  return value;
}
