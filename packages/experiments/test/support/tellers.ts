import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import type { Teller } from './one-history.js';

/** The design that the others are held against. */
export const classic: Teller = { name: 'anon-vma', strategy: anonVma, vmas: 'alike', mayMiss: false };

/** ANON_VMA_LAZY leaves neighbours apart that were touched before each other: no one adopts the other's anon_vma. */
export const lazy = (preset: 'intended' | 'stated' | 'posted'): Teller => ({
  name: `anon-vma-lazy:${preset}`,
  strategy: () => anonVmaLazy(preset),
  vmas: 'apart',
  mayMiss: preset !== 'intended',
});

/** In the CoW context nothing keeps VMAs apart that agree in flags, file and offset. */
export const context = (preset: 'reference' | 'poc'): Teller => ({
  name: `cow-context:${preset}`,
  strategy: () => cowContext(preset),
  vmas: 'joined',
  mayMiss: preset === 'poc',
});
