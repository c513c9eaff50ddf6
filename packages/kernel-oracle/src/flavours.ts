import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';
import type { Settings } from './settings.js';
import { swapDevice } from './zram.js';

/** What programs are made of. */
export interface Flavour {
  readonly name: string;
  readonly settings: Settings;
  /** Places in the arena: few, so that pieces often come home and merge. */
  readonly places: number;
  /** Pages of one place; touches go anywhere inside. */
  readonly placePages: number;
  /** Operations of one program, and of one block between two looks. */
  readonly length: number;
  readonly block: number;
  /** How often each kind is drawn. */
  readonly kinds: Readonly<Partial<Record<Operation['op'], number>>>;
  readonly advice: readonly number[];
  /** `PROT_*` of mappings, and what they are changed to. */
  readonly protections: readonly number[];
  /** `MAP_*` beside MAP_FIXED and the kind of memory. */
  readonly mmapFlags: readonly number[];
}

const RW = linux.PROT_READ | linux.PROT_WRITE;
const PROTECTIONS = [RW, RW, RW, linux.PROT_READ, linux.PROT_NONE, RW | linux.PROT_EXEC];
const MMAP_FLAGS = [0, 0, 0, 0, linux.MAP_NORESERVE, linux.MAP_NORESERVE, linux.MAP_POPULATE, linux.MAP_GROWSDOWN];

const ADVICE = [
  linux.MADV_DONTNEED,
  linux.MADV_DONTNEED,
  linux.MADV_DONTNEED,
  linux.MADV_DONTNEED_LOCKED,
  linux.MADV_DONTFORK,
  linux.MADV_DOFORK,
  linux.MADV_WIPEONFORK,
  linux.MADV_KEEPONFORK,
  linux.MADV_FREE,
  linux.MADV_RANDOM,
  linux.MADV_SEQUENTIAL,
  linux.MADV_NORMAL,
  linux.MADV_DONTDUMP,
  linux.MADV_DODUMP,
  linux.MADV_COLD,
  linux.MADV_WILLNEED,
  linux.MADV_POPULATE_READ,
  linux.MADV_POPULATE_WRITE,
  linux.MADV_GUARD_INSTALL,
  linux.MADV_GUARD_REMOVE,
];
const SWAPPING = [linux.MADV_PAGEOUT, linux.MADV_PAGEOUT, linux.MADV_PAGEOUT, linux.MADV_DONTNEED, linux.MADV_FREE];
const MERGING = [linux.MADV_MERGEABLE, linux.MADV_MERGEABLE, linux.MADV_MERGEABLE, linux.MADV_UNMERGEABLE, linux.MADV_DONTNEED];
const LARGE = [
  linux.MADV_HUGEPAGE,
  linux.MADV_HUGEPAGE,
  linux.MADV_HUGEPAGE,
  linux.MADV_HUGEPAGE,
  linux.MADV_NOHUGEPAGE,
  linux.MADV_DONTNEED,
  linux.MADV_FREE,
  linux.MADV_COLD,
  linux.MADV_DONTFORK,
  linux.MADV_DOFORK,
];

const LAYOUT = { mmap: 4, munmap: 2, mprotect: 3, mremap: 4, madvise: 3, read: 2, write: 9, fork: 3, exit: 3 } as const;
const SMALL = {
  places: 24,
  placePages: 1,
  length: 200,
  block: 8,
  settings: { orders: [9], swap: false },
  protections: PROTECTIONS,
  mmapFlags: MMAP_FLAGS,
} as const;

/** The kinds of programs that a campaign is made of. */
export const FLAVOURS = {
  /** All of plain memory management. */
  plain: {
    ...SMALL,
    name: 'plain',
    kinds: { ...LAYOUT, brk: 1, thread: 1, exec: 1, mlock: 1, munlock: 1 },
    advice: ADVICE,
  },
  /** What programs rarely ask for; not PROT_EXEC alone, as whether its memory can be read is up to the processor. */
  rare: {
    ...SMALL,
    name: 'rare',
    kinds: { ...LAYOUT, brk: 1, mlock: 1, munlock: 1 },
    advice: [linux.MADV_HUGEPAGE, linux.MADV_NOHUGEPAGE, linux.MADV_NOHUGEPAGE, ...ADVICE],
    protections: [
      ...PROTECTIONS,
      linux.PROT_WRITE,
      linux.PROT_READ | linux.PROT_GROWSDOWN,
      RW | linux.PROT_GROWSDOWN,
      RW | linux.PROT_SEM,
    ],
    mmapFlags: [
      0,
      linux.MAP_STACK,
      linux.MAP_STACK | linux.MAP_NORESERVE,
      linux.MAP_LOCKED,
      linux.MAP_LOCKED | linux.MAP_GROWSDOWN,
      linux.MAP_POPULATE | linux.MAP_NONBLOCK,
      linux.MAP_GROWSDOWN,
      linux.MAP_GROWSDOWN | linux.MAP_NORESERVE,
    ],
  },
  /** Pages that move between places of an address space. */
  move: { ...SMALL, name: 'move', kinds: { ...LAYOUT, uffdMove: 5 }, advice: ADVICE },
  /** Pages that go to swap and come back. */
  swap: {
    ...SMALL,
    name: 'swap',
    settings: { orders: [9], swap: true },
    kinds: { ...LAYOUT, madvise: 8, mlock: 1, munlock: 1, uffdMove: 2, swapOff: 0.25 },
    advice: [...SWAPPING, ...SWAPPING, ...ADVICE],
  },
  /** Equal pages become one. */
  ksm: {
    ...SMALL,
    name: 'ksm',
    kinds: { ...LAYOUT, madvise: 5, fill: 9, ksmScan: 1, ksmUnmerge: 0.25 },
    advice: [...MERGING, ...MERGING, ...ADVICE],
  },
  /** Folios of 4 and 16 pages. */
  folios: {
    ...SMALL,
    name: 'folios',
    settings: { orders: [2, 4], swap: false },
    places: 12,
    placePages: 4,
    length: 120,
    kinds: { ...LAYOUT, madvise: 6, mlock: 1, munlock: 1, uffdMove: 1 },
    advice: [...LARGE, ...LARGE, ...ADVICE],
  },
  /**
   * Folios of 16 pages in swap and back: few kinds, so that one often gets there whole. Smaller folios would also be made of single pages whose
   * swap slots happen to be neighbours, which is up to the kernel.
   */
  folioSwap: {
    ...SMALL,
    name: 'folioSwap',
    settings: { orders: [4], swap: true },
    places: 8,
    placePages: 16,
    length: 120,
    kinds: { ...LAYOUT, munmap: 1, madvise: 12, read: 6, fork: 1, exit: 1, mlock: 0.5, swapOff: 0.25 },
    advice: [...LARGE, ...SWAPPING, ...SWAPPING, linux.MADV_COLD, linux.MADV_WILLNEED],
  },
  /** Folios of PMD size, mapped whole and in part. */
  huge: {
    ...SMALL,
    name: 'huge',
    places: 24,
    placePages: 128,
    length: 60,
    kinds: { ...LAYOUT, madvise: 8, uffdMove: 1 },
    advice: [...LARGE, ...LARGE, linux.MADV_COLLAPSE, linux.MADV_COLLAPSE, ...ADVICE],
  },
} as const satisfies Record<string, Flavour>;

/** Those that this system can run: swap takes a free zram device. */
export const availableFlavours = (): readonly Flavour[] =>
  Object.values(FLAVOURS).filter(({ settings }) => !settings.swap || swapDevice() !== null);
