import {
  type Address,
  addressOf,
  type Folio,
  KernelError,
  MADV_COLLAPSE,
  PAGE_SIZE,
  type Process,
  type Vpn,
} from '@rmap-lab/core';
import type { KernelRecord } from '../format.js';
import { Mismatch } from './mismatch.js';
import type { World } from './world.js';

/** Contents that KSM found equal: a trace says that pages were merged, not what they held. */
const EQUAL_CONTENTS = 1;

/** Does what the recorded kernel did by itself, as far as the model's pages are in the same state. @throws Mismatch */
export function replayKernelAct(world: World, { action, process: number, first, pages }: KernelRecord): void {
  const process = world.process(number);
  const { kernel } = world;
  switch (action) {
    case 'reclaim':
      for (const folio of foliosOf(process, first, pages)) kernel.reclaim(folio);
      break;
    case 'migrate':
      for (const folio of foliosOf(process, first, pages)) kernel.migrate(folio);
      break;
    case 'split':
      for (const folio of foliosOf(process, first, pages)) kernel.splitFolio(folio);
      break;
    case 'ksm-merge':
      for (let page = first; page < first + pages; page++) process.fill(at(page), EQUAL_CONTENTS);
      kernel.ksmScan();
      break;
    case 'swap-in':
      for (let page = first; page < first + pages; page++) process.read(at(page));
      break;
    case 'collapse':
      collapse(process, first, pages);
      break;
    case 'memory-failure':
      throw new Mismatch('the model finds whom a broken page is mapped by, but does not take the page away');
  }
}

function collapse(process: Process, first: number, pages: number): void {
  try {
    process.madvise(at(first), pages * PAGE_SIZE, MADV_COLLAPSE);
  } catch (error) {
    if (error instanceof KernelError)
      throw new Mismatch(`the recorded kernel collapsed pages, the model refuses: ${error.message}`);
    throw error;
  }
}

function foliosOf(process: Process, first: number, pages: number): Set<Folio> {
  const folios = new Set<Folio>();
  for (let page = first; page < first + pages; page++) {
    const folio = process.folioAt(at(page));
    if (folio !== null) folios.add(folio);
  }
  return folios;
}

const at = (page: number): Address => addressOf(page as Vpn);
