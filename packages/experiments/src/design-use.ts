import type { Measurement } from './measure.js';

/** Caches that every machine has, whatever its strategy. */
const CORE_CACHES = new Set(['vm_area_struct', 'mm_struct']);

/** Whether a cache is the strategy's. */
export const isDesignCache = (name: string): boolean => !CORE_CACHES.has(name);

/** Names of the caches that the strategy of a run has. */
export const designCaches = ({ slab }: Pick<Measurement, 'slab'>): readonly string[] => Object.keys(slab).filter(isDesignCache);

/** What a strategy keeps at a mark: objects of its caches and unmapped VMAs, their bytes, and those of its fields in structs of core. */
export function designUse(
  { slab, marks }: Measurement,
  mark: number,
): { readonly objects: number; readonly bytes: number; readonly added: number } {
  const { live, added, zombies } = marks[mark];
  let [objects, bytes] = [zombies, zombies * slab.vm_area_struct.objectBytes];
  for (const name of designCaches({ slab })) {
    objects += live[name];
    bytes += live[name] * slab[name].objectBytes;
  }
  return { objects, bytes, added };
}
