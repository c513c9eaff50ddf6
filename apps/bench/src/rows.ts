import type { Bench } from './row.js';
import { conformanceRows } from './rows/conformance.js';
import { faultRows } from './rows/fault.js';
import { forkRows } from './rows/fork.js';
import { growthRows, structureGrowthRows } from './rows/growth.js';
import { intervalTreeRows } from './rows/interval-tree.js';
import { memoryRows } from './rows/memory.js';
import { reclaimRows } from './rows/reclaim.js';
import { systemCallRows } from './rows/system-calls.js';
import { vmaTreeRows } from './rows/vma-tree.js';
import { walkRows } from './rows/walk.js';

/** What machines do. */
const machines: readonly Bench[] = [
  ...faultRows,
  ...forkRows,
  ...systemCallRows,
  ...walkRows,
  ...reclaimRows,
  ...conformanceRows,
  ...memoryRows,
  ...growthRows,
];
/** Data structures alone. */
const structures: readonly Bench[] = [...vmaTreeRows, ...intervalTreeRows, ...structureGrowthRows];

/**
 * The rows with these ids, all if none is given. @throws RangeError for an unknown id, naming those that there are
 * @param machinesOnly without those that no strategy changes
 */
export function select(ids: readonly string[], machinesOnly: boolean): readonly Bench[] {
  const all = machinesOnly ? machines : [...machines, ...structures];
  const unknown = ids.filter((id) => !all.some((bench) => bench.id === id));
  if (unknown.length > 0)
    throw new RangeError(`no row '${unknown.join(', ')}'; there are: ${all.map(({ id }) => id).join(', ')}`);
  return ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
}
