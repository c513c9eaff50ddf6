import { type Address, Kernel, PAGE_SIZE, type RmapStrategy } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../case.js';

const at = (page: number): Address => (0x10000000 + page * PAGE_SIZE) as Address;

/** Candidates of the walk of a page that one process alone maps, beside `others` processes that have nothing to do with it. */
function candidatesBesideStrangers(strategy: RmapStrategy, others: number): number {
  const kernel = new Kernel({ strategy });
  for (let i = 0; i < others; i++) {
    const stranger = kernel.spawn();
    stranger.mapAt(at(0), PAGE_SIZE);
    stranger.write(at(0));
  }
  return candidatesOfOne(kernel);
}

/** The same beside `others` VMAs of the process itself. */
function candidatesBesideVmas(strategy: RmapStrategy, others: number): number {
  const kernel = new Kernel({ strategy });
  return candidatesOfOne(kernel, others);
}

function candidatesOfOne(kernel: Kernel, vmas = 0): number {
  const process = kernel.spawn();
  for (let i = 0; i < vmas; i++) {
    process.mapAt(at(100 + 2 * i), PAGE_SIZE);
    process.write(at(100 + 2 * i));
  }
  process.mapAt(at(0), PAGE_SIZE);
  process.write(at(0));
  const folio = process.folioAt(at(0));
  if (folio === null) throw new CaseFailure('a page that was written is not mapped');
  return kernel.walk(folio).candidates;
}

/** Candidates of the walk of a child's own copy, beside `siblings` that have copies of their own. */
function candidatesBesideSiblings(strategy: RmapStrategy, siblings: number): number {
  const kernel = new Kernel({ strategy });
  const parent = kernel.spawn();
  parent.mapAt(at(0), PAGE_SIZE);
  parent.write(at(0));
  let last = parent;
  for (let i = 0; i < siblings; i++) {
    last = parent.fork();
    last.write(at(0));
  }
  const folio = last.folioAt(at(0));
  if (folio === null) throw new CaseFailure('a page that was written is not mapped');
  return kernel.walk(folio).candidates;
}

/** Objects of the strategy that a process adds which forks, writes and exits, in a long row of them. */
function objectsAfterGenerations(strategy: RmapStrategy, generations: number): number {
  const kernel = new Kernel({ strategy });
  let process = kernel.spawn();
  process.mapAt(at(0), 4 * PAGE_SIZE);
  process.write(at(0));
  for (let i = 0; i < generations; i++) {
    const child = process.fork();
    child.write(at(1));
    process.exit();
    process = child;
  }
  const { slab } = kernel.stats();
  return Object.entries(slab).reduce(
    (sum, [cache, { live }]) => sum + (cache === 'vm_area_struct' || cache === 'mm_struct' ? 0 : live),
    0,
  );
}

const scaleCase = (
  name: string,
  strength: 'must' | 'should',
  title: string,
  why: string,
  measure: (strategy: RmapStrategy, n: number) => number,
  bound: (small: number, large: number) => boolean,
  said: string,
): ConformanceCase => ({
  id: `scale/${name}`,
  level: 'scale',
  rule: 'R17',
  strength,
  needs: [],
  title,
  why,
  run: ({ strategy }) => {
    const [small, large] = [measure(strategy, 4), measure(strategy, 64)];
    if (!bound(small, large)) throw new CaseFailure(`${small} with 4 and ${large} with 64: ${said}`);
  },
});

/** How costs grow. A strategy that looks everywhere finds everything and fails here. */
export const scale: readonly ConformanceCase[] = [
  scaleCase(
    'strangers',
    'must',
    'a walk does not look at processes that have nothing to do with the page',
    'the reason for reverse maps: objrmap',
    candidatesBesideStrangers,
    (small, large) => large <= small,
    'candidates grow with the number of unrelated processes',
  ),
  scaleCase(
    'other-vmas',
    'must',
    'a walk does not look at other memory of the same process',
    'the interval tree of anon_vma',
    candidatesBesideVmas,
    (small, large) => large <= small,
    'candidates grow with the number of other VMAs',
  ),
  scaleCase(
    'siblings-copies',
    'should',
    "a walk of a child's own copy does not look at its siblings",
    'AnonExclusive pages have an anon_vma of their own since 2.6.34',
    candidatesBesideSiblings,
    (small, large) => large <= small,
    'candidates grow with the number of siblings',
  ),
  scaleCase(
    'generations',
    'should',
    'processes that fork and exit leave no growing row of objects',
    'anon_vma reuse, 7a3ef208e662',
    objectsAfterGenerations,
    (small, large) => large <= small + 4,
    'objects grow with the number of generations',
  ),
];
