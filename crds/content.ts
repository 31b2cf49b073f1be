/** What NixNode and NixModule both carry: Nix modules and delivered files. */
import { z } from 'zod';
import { keyReference } from './common.ts';
import { exactlyOneOf, mapList, matches, setList, text, withRules } from './rules.ts';

/** A Nix module in the object itself. Bounded so that a handful of them fit into one object of etcd (1.5 MiB). */
export const inlineModule = () =>
  text({ min: 1, max: 262_144 })
    .optional()
    .describe('The text of a NixOS module. It must not hold secrets: it becomes part of the Nix store.');

export const moduleFromConfigMap = () =>
  keyReference('ConfigMap').optional().describe('A NixOS module that a ConfigMap holds.');

export const oneModule = exactlyOneOf(['inline', 'configMapRef']);

export const nixModuleSource = withRules(
  z.object({ inline: inlineModule(), configMapRef: moduleFromConfigMap() }),
  [oneModule],
);
export type NixModuleSource = z.output<typeof nixModuleSource>;

const account = (what: string) =>
  withRules(text({ min: 1, max: 31 }), [
    matches(/^[A-Za-z_][A-Za-z0-9_-]{0,30}$/, `must be the name of a ${what}`),
  ]);

/** Characters that no shell, unit file or list of paths gives a meaning to; `.` and `..` are refused beside it. */
const filePath = () =>
  withRules(text({ min: 2, max: 1024 }), [
    matches(
      /^(\/[A-Za-z0-9._+@:=,~-]+)+$/,
      'must be an absolute path of letters, digits and ._+@:=,~- without a slash at its end',
    ),
    {
      cel: "!self.matches(r'/[.][.]?(/|$)')",
      message: 'must not contain "." or ".." as a part',
      test: (path) => !/\/[.][.]?(\/|$)/.test(path),
    },
    {
      cel: "!self.matches(r'^/(nix|proc|sys|dev|run/firn|var/lib/firn)(/|$)')",
      message: 'must not be in /nix, /proc, /sys, /dev, /run/firn or /var/lib/firn',
      test: (path) => !/^\/(nix|proc|sys|dev|run\/firn|var\/lib\/firn)(\/|$)/.test(path),
    },
  ]);

const unitName = () =>
  withRules(text({ min: 1, max: 255 }), [
    matches(
      /^[A-Za-z0-9:_.@-]+[.](service|socket|target|timer|path|mount)$/,
      'must be the name of a unit with its suffix, such as app.service',
    ),
  ]);

export const deliveredFile = withRules(
  z.object({
    path: filePath().describe('Where the file is to be on the host.'),
    secretRef: keyReference('Secret').optional().describe('The content, from a Secret.'),
    configMapRef: keyReference('ConfigMap').optional().describe('The content, from a ConfigMap.'),
    owner: account('user').default('root').describe('The user who owns the file.'),
    group: account('group').default('root').describe('The group of the file.'),
    mode: withRules(text({ min: 4, max: 4 }), [
      matches(/^0[0-7]{3}$/, 'must be four octal digits of which the first is 0, such as "0400"'),
    ])
      .default('0400')
      .describe('Permissions, in octal. Quote it: YAML reads 0400 as a number.'),
    restartUnits: setList(unitName(), 16).default([]).describe('Units to restart when the content changes.'),
    reloadUnits: setList(unitName(), 16).default([]).describe('Units to reload when the content changes.'),
  }),
  [exactlyOneOf(['secretRef', 'configMapRef'])],
);
export type DeliveredFile = z.output<typeof deliveredFile>;

export const deliveredFiles = () =>
  mapList(deliveredFile, 'path', 128)
    .default([])
    .describe(
      'Files delivered beside the system. Their content never enters the Nix store, and a change of it builds nothing.',
    );
