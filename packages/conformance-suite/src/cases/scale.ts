import { Kernel, PAGE_SIZE, type RmapStrategy } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../case.js';
import { at, declaredGrowth, lookedAt, MEASURES, writer } from './growth.js';

/** VMAs and locks of the walk of a page that one process alone maps, beside `others` processes that have nothing to do with it. */
function besideStrangers(strategy: RmapStrategy, others: number): number {
  const kernel = new Kernel({ strategy });
  for (let i = 0; i < others; i++) writer(kernel);
  return lookedAt(kernel, writer(kernel));
}

/** The same beside `others` VMAs of the process itself. */
function besideVmas(strategy: RmapStrategy, others: number): number {
  const kernel = new Kernel({ strategy });
  const process = writer(kernel);
  for (let i = 0; i < others; i++) {
    process.mapAt(at(100 + 2 * i), PAGE_SIZE);
    process.write(at(100 + 2 * i));
  }
  return lookedAt(kernel, process);
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
    besideStrangers,
    (small, large) => large <= small,
    'VMAs looked at and locks taken grow with the number of unrelated processes',
  ),
  scaleCase(
    'other-vmas',
    'must',
    'a walk does not look at other memory of the same process',
    'the interval tree of anon_vma',
    besideVmas,
    (small, large) => large <= small,
    'VMAs looked at and locks taken grow with the number of other VMAs',
  ),
  scaleCase(
    'siblings-copies',
    'should',
    "a walk of a child's own copy does not look at its siblings",
    'AnonExclusive pages have an anon_vma of their own since 2.6.34',
    MEASURES.siblings,
    (small, large) => large <= small,
    'candidates grow with the number of siblings',
  ),
  scaleCase(
    'generations',
    'should',
    'processes that fork and exit leave no growing row of objects',
    'anon_vma reuse, 7a3ef208e662',
    MEASURES.generations,
    (small, large) => large <= small + 4,
    'objects grow with the number of generations',
  ),
  declaredGrowth,
];
