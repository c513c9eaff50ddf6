import { type Address, type Folio, Kernel, MADV_HUGEPAGE, PAGE_SIZE, type Process, type RmapStrategy } from '@rmap-lab/core';
import { contest } from '../contest.js';
import type { MachineSetup } from '../row.js';
import { expect, pageAt, touched, writePages } from './lab.js';

const PAGES = 512;

/** A process with room for `n` folios of PMD size, aligned. */
function roomFor(n: number, strategy: RmapStrategy): { kernel: Kernel; process: Process; at: Address } {
  const kernel = new Kernel({ strategy });
  const process = kernel.spawn();
  const at = 0x100000000000 as Address;
  process.mapAt(at, n * PAGES * PAGE_SIZE);
  return { kernel, process, at };
}

/** First touches of `n` folios of PMD size. */
const faultThp: MachineSetup = (n, strategy) => {
  const { kernel, process, at } = roomFor(n, strategy);
  process.madvise(at, n * PAGES * PAGE_SIZE, MADV_HUGEPAGE);
  return () => {
    for (let i = 0; i < n; i++) process.write(pageAt(at, i * PAGES));
    expect(kernel.stats().pages.live, n * PAGES, 'pages in use');
    return n;
  };
};

/** The same memory, touched page by page. */
const faultPages: MachineSetup = (n, strategy) => {
  const { kernel, process, at } = roomFor(n, strategy);
  return () => {
    writePages(process, at, n * PAGES);
    expect(kernel.stats().pages.live, n * PAGES, 'pages in use');
    return n;
  };
};

const forked = (n: number, strategy: RmapStrategy, huge: boolean): (() => number) => {
  const { process, at } = roomFor(n, strategy);
  if (huge) process.madvise(at, n * PAGES * PAGE_SIZE, MADV_HUGEPAGE);
  writePages(process, at, n * PAGES);
  return () => {
    expect(process.fork().pageAt(at).mapcount, 2, 'mappings of a page');
    return n;
  };
};

/** Every folio of a process with `n` pages. */
const allFolios = (n: number, strategy: RmapStrategy): { kernel: Kernel; folios: Folio[] } => {
  const { kernel } = touched(n, strategy);
  return { kernel, folios: [...kernel.folios()] };
};

const reclaim: MachineSetup = (n, strategy) => {
  const { kernel, folios } = allFolios(n, strategy);
  return () => {
    for (const folio of folios) kernel.reclaim(folio);
    expect(kernel.stats().swap.live, n, 'swap slots in use');
    return n;
  };
};

const migrate: MachineSetup = (n, strategy) => {
  const { kernel, folios } = allFolios(n, strategy);
  return () => {
    let moved = 0;
    for (const folio of folios) if (kernel.migrate(folio) !== null) moved++;
    expect(moved, n, 'folios moved');
    return n;
  };
};

/** The walk that both need, alone. */
const referenced: MachineSetup = (n, strategy) => {
  const { kernel, folios } = allFolios(n, strategy);
  return () => {
    let references = 0;
    for (const folio of folios) references += kernel.referenced(folio).references;
    expect(references, n, 'accessed entries');
    return n;
  };
};

const split: MachineSetup = (n, strategy) => {
  const { kernel, process, at } = roomFor(n, strategy);
  process.madvise(at, n * PAGES * PAGE_SIZE, MADV_HUGEPAGE);
  for (let i = 0; i < n; i++) process.write(pageAt(at, i * PAGES));
  const folios = [...kernel.folios()];
  return () => {
    let done = 0;
    for (const folio of folios) if (kernel.splitFolio(folio)) done++;
    expect(done, n, 'folios split');
    return n;
  };
};

/** A full check of a machine with `n` entries. */
const verifyFull: MachineSetup = (n, strategy) => {
  const { kernel } = touched(n, strategy);
  return () => {
    expect(kernel.verify().mappings, n, 'mappings');
    return n;
  };
};

/** Writes to `n` pages of a machine with `n` others, each with what `after` does. */
const writes = (n: number, strategy: RmapStrategy, after: (kernel: Kernel) => void): (() => number) => {
  const { kernel, process } = touched(n, strategy);
  const at = process.mmap(n * PAGE_SIZE);
  process.write(at);
  after(kernel);
  return () => {
    for (let i = 1; i < n; i++) {
      process.write(pageAt(at, i));
      after(kernel);
    }
    expect(kernel.stats().pages.live, 2 * n, 'pages in use');
    return n;
  };
};

const verifyIncremental: MachineSetup = (n, strategy) =>
  writes(n, strategy, (kernel) => expect(kernel.verifyChanges().missed, 0, 'mappings missed'));
const unverified: MachineSetup = (n, strategy) => writes(n, strategy, () => undefined);

const thp = { otherName: 'single pages', as: 'time', n: 200, quickN: 3 } as const;
const page = { other: referenced, otherName: 'one walk each', operation: 'page', as: 'time', n: 50_000, quickN: 500 } as const;

export const reclaimRows = [
  contest({ ...thp, id: 'fault.thp', operation: 'folio', ours: faultThp, other: faultPages }),
  contest({
    ...thp,
    id: 'fork.thp',
    operation: 'folio',
    ours: (n, strategy) => forked(n, strategy, true),
    other: (n, strategy) => forked(n, strategy, false),
  }),
  contest({ ...page, id: 'reclaim.page', ours: reclaim }),
  contest({ ...page, id: 'migrate.page', ours: migrate }),
  contest({ ...thp, id: 'split.folio', operation: 'folio', ours: split, other: faultPages, otherName: 'touching its pages' }),
  contest({ ...page, id: 'verify.full', operation: 'PTE', ours: verifyFull }),
  contest({
    ...page,
    id: 'verify.incremental',
    operation: 'write',
    ours: verifyIncremental,
    other: unverified,
    otherName: 'the writes alone',
  }),
];
