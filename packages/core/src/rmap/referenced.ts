import { totalMapcount } from '../folio/mapcount.js';
import { mlockMissed } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { YOUNG } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import type { Folio } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import { walkFolio } from './walk.js';

/** Whether a folio was used lately, and by how many entries; a locked mapping of all of it ends the search (folio_referenced). */
export interface Referenced {
  /** Entries whose accessed bit was set; it is cleared on the way. -1: the strategy's lock was contended. */
  readonly references: number;
  /** Entries looked at. */
  readonly mappings: number;
  /** A VM_LOCKED mapping of all of the folio was met: it must stay, and is mlocked now. */
  readonly locked: boolean;
}

/** Counts and clears the accessed bits of a folio's entries; without waiting for the strategy's lock. */
export function* referenced(m: Machine, folio: Folio): Op<Referenced> {
  let references = 0;
  let locked = false;
  const { walked, found: mappings } = yield* walkFolio(
    m,
    folio,
    (vma, address, _table, at, byPmd) => {
      if ((vma.flags & VM_LOCKED) !== 0) {
        locked = mlockMissed(m, folio, vma, address, at, byPmd);
        return !locked;
      }
      const pte = m.tables.entries[at];
      if ((pte & YOUNG) !== 0) {
        references++;
        (byPmd ? m.tables.writePmd(at) : m.tables.write(at))[at] = pte & ~YOUNG;
      }
      return true;
    },
    { wait: false },
  );
  return { references: walked || totalMapcount(m.mem, folio) === 0 ? references : -1, mappings, locked };
}
