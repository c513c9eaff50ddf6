import { readFileSync } from 'node:fs';
import {
  MADV_COLLAPSE,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_PAGEOUT,
  MAP_LOCKED,
  type Operation,
  PAGE_SIZE,
} from '@rmap-lab/core';
import { CannotObserve } from './compile.js';
import type { Driver } from './driver.js';
import { availableFlavours, FLAVOURS, type Flavour } from './flavours.js';
import { ARENA } from './model-look.js';
import { COLUMNS } from './records.js';
import type { SavedProgram } from './saved-program.js';
import { ChangingSystem, type Settings, type System } from './settings.js';

/** How far a kernel can be asked here. */
export interface Tier {
  /** What of it is seen and what is not, in words. */
  readonly seen: { readonly columns: readonly string[]; readonly missing: readonly string[] };
  /** The kinds of random programs that can be run. */
  readonly flavours: readonly Flavour[];
  /** Settings, for as long as some programs need them. */
  readonly system: System;
  /** The settings under which a program is run. @throws CannotObserve: it takes what can't be had here */
  settingsFor(program: SavedProgram): Settings;
}

/** Root, with BPF: everything. */
export const everything = (driver: Driver, onWait: () => void): Tier => ({
  seen: { columns: COLUMNS, missing: [] },
  flavours: availableFlavours(),
  system: new ChangingSystem(driver, onWait),
  settingsFor: ({ settings }) => settings,
});

/** Whatever the system's settings are: the driver has large folios switched off for its processes. */
const NO_SETTINGS: Settings = { orders: [], swap: false };
const LAYOUT_COLUMNS = [
  'results and errno',
  'VMA ranges, flags, kind',
  'which pages are there and mapped once',
  'guard markers',
] as const;
const UNSEEN =
  'vm_pgoff; anon_vmas and their chains; folios, mapcount, PG_anon_exclusive, mapping, index; zero page and KSM pages as such; swap entries; live objects';
/** Locked memory that programs may come to have; with a lower limit a real mlock fails where the model's does not. */
const LOCKED_BYTES = 2 ** 20;

/** Anybody, with /proc: layout and presence of pages. `reason`: why no more. */
export async function layout(driver: Driver, reason: string): Promise<Tier> {
  const missing = [`${UNSEEN} (${reason})`];
  const flavours: Flavour[] = [FLAVOURS.plain, FLAVOURS.rare].map((flavour) => ({ ...flavour, settings: NO_SETTINGS }));
  const without = Object.keys(FLAVOURS).filter((name) => !['plain', 'rare', 'move'].includes(name));
  missing.push(`programs of ${without.join(', ')} (their settings are for root to change)`);
  if (await movesPages(driver)) flavours.push({ ...FLAVOURS.move, settings: NO_SETTINGS });
  else missing.push('programs of move (userfaultfd is refused, or has no UFFDIO_MOVE)');
  const locks = lockLimit() >= LOCKED_BYTES;
  if (!locks) missing.push(`mlock, munlock and MAP_LOCKED (ulimit -l is below ${LOCKED_BYTES / 1024} KiB)`);
  return {
    seen: { columns: LAYOUT_COLUMNS, missing },
    flavours: locks ? flavours : flavours.map(withoutLocks),
    system: { with: (_, work) => work() },
    settingsFor: ({ program }) => {
      const i = program.findIndex(takesSettings);
      if (i < 0) return NO_SETTINGS;
      throw new CannotObserve(`operation ${i + 1}, '${program[i].op}', takes settings that root alone may change (${reason})`);
    },
  };
}

const withoutLocks = (flavour: Flavour): Flavour => ({
  ...flavour,
  kinds: { ...flavour.kinds, mlock: 0, munlock: 0 },
  mmapFlags: flavour.mmapFlags.filter((flags) => (flags & MAP_LOCKED) === 0),
});

const ADVICE_WITH_SETTINGS: readonly number[] = [MADV_PAGEOUT, MADV_MERGEABLE, MADV_HUGEPAGE, MADV_COLLAPSE];

/** Whether an operation depends on swap, KSM or large folios. */
const takesSettings = (operation: Operation): boolean =>
  ['ksmScan', 'ksmUnmerge', 'swapOff'].includes(operation.op) ||
  (operation.op === 'madvise' && ADVICE_WITH_SETTINGS.includes(operation.advice));

/** Asks for a move where nothing is: a kernel that can do it says ENOENT. */
async function movesPages(driver: Driver): Promise<boolean> {
  const [answer] = await driver.ask([`u 0 ${ARENA} ${ARENA + PAGE_SIZE} ${PAGE_SIZE} 0 0`]);
  return answer === '-2';
}

/** Bytes that a process may lock. */
function lockLimit(): number {
  const limit = /^Max locked memory +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
