/**
 * Who has which number. A number is for good: it is in addresses, routes and certificates of every host. So status is
 * the truth; where it says nothing the hosts are asked; and only then is something new handed out. Pure.
 */

import { byName, type Member } from './members.ts';
import type { Taken } from './network.ts';
import { type Known, maxRetired, type Numbered } from './retire.ts';

export type Limits = {
  highest: number;
  /** Numbers that no node can have, in ascending order. */
  taken: readonly Taken[];
  /** How many nodes a cluster may have. */
  nodes: number;
};
export type Problem = {
  reason:
    | 'IndexConflict'
    | 'IndexUnusable'
    | 'IndexDiffers'
    | 'NetworkExhausted'
    | 'TooManyNodes'
    | 'TooManyRetired';
  message: string;
};
export type Allocation = Known & {
  problems: readonly Problem[];
  /** Names of members that get their number once their hosts were asked. */
  unasked: readonly string[];
};

/**
 * Gives numbers to members that have none: what `spec.index` asks for, then what their hosts say they have, then the
 * lowest free ones in the order of names. Where status has no node at all it may have been lost: then nobody gets
 * anything before every member's host was asked or `spec.index` says its number.
 */
export function assign(known: Known, members: readonly Member[], limits: Limits): Allocation {
  const here = members.filter(({ stage }) => stage === 'present' || stage === 'leaving').sort(byName);
  const isNumbered = new Set(known.nodes.map(({ name }) => name));
  const without = here.filter(({ name }) => !isNumbered.has(name));
  const silent = without.filter(({ observed, asked }) => !observed && asked === undefined);
  if (known.nodes.length === 0 && silent.length > 0) {
    return { ...known, problems: [], unasked: silent.map(({ name }) => name) };
  }
  const draft = new Draft(known, limits);
  draft.checkKept(here);
  draft.takeWanted(without, here);
  draft.takeFree(without, here);
  const unasked = silent.filter(({ stage }) => stage === 'present').map(({ name }) => name);
  return { ...draft.result(), unasked };
}

class Draft {
  readonly #known: Known;
  readonly #limits: Limits;
  readonly #nodes: Numbered[];
  readonly #holders: Map<number, string>;
  readonly #problems: Problem[] = [];

  constructor(known: Known, limits: Limits) {
    this.#known = known;
    this.#limits = limits;
    this.#nodes = [...known.nodes];
    this.#holders = new Map(known.nodes.map(({ index, name }) => [index, name]));
  }

  result(): Known & { problems: readonly Problem[] } {
    const retired = this.#known.retired.filter(({ index }) => !this.#holders.has(index));
    return { nodes: [...this.#nodes].sort(byName), retired, problems: this.#problems };
  }

  /** The number in status stays, whatever is asked later. */
  checkKept(here: readonly Member[]): void {
    const members = new Map(here.map((member) => [member.name, member]));
    for (const { name, index } of this.#nodes) {
      const member = members.get(name);
      if (member === undefined) this.#refuse('TooManyRetired', tooManyRetired(name, index));
      else if (member.asked !== undefined && member.asked !== index)
        this.#refuse('IndexDiffers', differs(name, index, member.asked));
    }
  }

  takeWanted(without: readonly Member[], here: readonly Member[]): void {
    const wanted = new Map<number, Member[]>();
    for (const member of without) {
      const index = member.asked ?? member.claimed;
      if (index !== undefined) wanted.set(index, [...(wanted.get(index) ?? []), member]);
    }
    for (const [index, members] of [...wanted].sort(([a], [b]) => a - b)) {
      const names = this.#rivals(index, members, here);
      if (names.length > 1) this.#refuse('IndexConflict', conflict(index, names));
      else this.#takeIfUsable(members[0]!, index);
    }
  }

  /** Everybody who has a number, asks for it, or whose host says that it has it. */
  #rivals(index: number, members: readonly Member[], here: readonly Member[]): string[] {
    const holder = this.#holders.get(index);
    const saying = here.filter(({ asked, claimed }) => asked === undefined && claimed === index);
    const names = [holder, ...members.map(({ name }) => name), ...saying.map(({ name }) => name)];
    return [...new Set(names.filter((name) => name !== undefined))].sort((a, b) =>
      byName({ name: a }, { name: b }),
    );
  }

  #takeIfUsable(member: Member, index: number): void {
    const { highest, taken } = this.#limits;
    const range = taken.find(({ first, last }) => first <= index && index <= last);
    const why = range ? `its subnet holds ${range.whose}` : `pods has no subnet beyond number ${highest}`;
    if (range || index > highest) this.#refuse('IndexUnusable', unusable(member, index, why));
    else this.#enter(member, index);
  }

  takeFree(without: readonly Member[], here: readonly Member[]): void {
    const spoken = [...here.flatMap(({ asked, claimed }) => [asked, claimed]), ...this.#holders.keys()];
    const blocked = new Set([...spoken, ...this.#known.retired.map(({ index }) => index)]);
    let next = 1;
    for (const member of without) {
      const { asked, claimed, observed, stage } = member;
      if (asked !== undefined || claimed !== undefined || !observed || stage !== 'present') continue;
      next = this.#nextFree(next, blocked);
      if (next > this.#limits.highest) {
        this.#refuse('NetworkExhausted', exhausted(member.name, this.#limits.highest));
        return;
      }
      this.#enter(member, next);
      next += 1;
    }
  }

  #nextFree(from: number, blocked: ReadonlySet<number | undefined>): number {
    let index = from;
    for (const { first, last } of this.#limits.taken) {
      while (index < first && blocked.has(index)) index += 1;
      if (index < first) return index;
      index = Math.max(index, last + 1);
    }
    while (blocked.has(index)) index += 1;
    return index;
  }

  #enter({ name, uid }: Member, index: number): void {
    if (this.#nodes.length >= this.#limits.nodes) {
      this.#refuse('TooManyNodes', `NixNode ${name}: a cluster has at most ${this.#limits.nodes} nodes`);
      return;
    }
    this.#nodes.push({ name, uid, index });
    this.#holders.set(index, name);
  }

  #refuse(reason: Problem['reason'], message: string): void {
    this.#problems.push({ reason, message });
  }
}

const conflict = (index: number, names: readonly string[]): string =>
  `number ${index} belongs to more than one of the NixNodes ${names.join(', ')}, by spec.index, by status, or because their hosts say so: delete all of them but one, and reset a host that was copied from another`;

const differs = (name: string, index: number, asked: number): string =>
  `NixNode ${name} has number ${index} for good and spec.index says ${asked}: delete it with deletionPolicy Reset and create it again`;

const unusable = ({ name, asked }: Member, index: number, why: string): string =>
  `number ${index}, which ${asked === index ? 'spec.index' : 'the host'} of NixNode ${name} says, cannot be given: ${why}`;

const exhausted = (name: string, highest: number): string =>
  `no number is left for NixNode ${name}: pods has ${highest} subnets for nodes, of which the rest is taken, retired (status.retiredIndexes) or shared with addresses of others`;

const tooManyRetired = (name: string, index: number): string =>
  `NixNode ${name} is gone and its number ${index} cannot be retired, since ${maxRetired} are: reset hosts that were given up, and take their entries out of status.retiredIndexes`;
