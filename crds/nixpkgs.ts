/** Which nixpkgs a host, or all of a cluster, is built from. */
import { z } from 'zod';
import { matches, text, withRules } from './rules.ts';

export const nixpkgs = () =>
  withRules(
    z.object({
      url: withRules(text({ min: 1, max: 2048 }), [
        matches(
          /^(github:[A-Za-z0-9]|git[+]https:\/\/|https:\/\/|path:\/)[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*$/,
          'must be a flake reference: github:owner/repo/branch, git+https://…, https://…/x.tar.gz or path:/…',
        ),
      ]).describe('The flake reference of nixpkgs.'),
      rev: withRules(text({ min: 40, max: 40 }), [
        matches(/^[0-9a-f]{40}$/, 'must be a commit: 40 hex digits'),
      ])
        .optional()
        .describe('The commit to stay at. Without it, one is resolved and kept in `status.nixpkgs`.'),
      narHash: withRules(text({ min: 51, max: 51 }), [
        matches(/^sha256-[A-Za-z0-9+/]{43}=$/, 'must be a hash such as sha256-…='),
      ])
        .optional()
        .describe('The hash of the source at `rev`, as `nix flake metadata` prints it.'),
      refresh: text({ max: 256 })
        .optional()
        .describe('Any text. A new one resolves `url` anew; so does a change of `url`.'),
    }),
    [
      {
        cel: 'has(self.rev) == has(self.narHash)',
        message: 'rev and narHash are given together or not at all',
        test: ({ rev, narHash }) => (rev === undefined) === (narHash === undefined),
      },
    ],
  );
