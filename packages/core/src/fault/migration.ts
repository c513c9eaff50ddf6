import type { Machine } from '../machine.js';
import { resumeMigration } from '../reclaim/migrate.js';
import type { Op } from '../sync/op.js';
import type { Pfn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import type { FaultOutcome } from './prepare.js';

/** The folio comes back at another place: waits for it, or, where it was left under way, brings it (migration_entry_wait). */
export function* waitForMigration(m: Machine, vma: VmArea, pfn: Pfn): Op<FaultOutcome> {
  const folio = m.mem.folioOf(pfn);
  const parked = m.migrations.get(folio);
  vma.mm.forgetShortcuts();
  if (parked !== undefined) yield* resumeMigration(m, parked);
  else if (m.sync.stepping) {
    const enabled = (): boolean => !m.folioLock.isLocked(folio);
    yield { kind: 'lock', object: m.folioLock, label: `migration of folio ${folio}`, enabled };
  }
  return 'done';
}
