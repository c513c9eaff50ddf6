import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';
import {
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_POPULATE,
  MAP_PRIVATE,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
} from '@rmap-lab/core';
import { NR } from './commands.js';
import type { Driver } from './driver.js';
import { ARENA } from './model-look.js';

const PMD_SIZE = 512 * PAGE_SIZE;

/**
 * Gives khugepaged the one look that is due when its pace was changed (khugepaged_wait_work): at a PMD that is there for nothing else,
 * as the first MADV_HUGEPAGE wakes it if nobody else has asked for any. From then on it sleeps, and collapses nothing of a program.
 */
export async function satisfyKhugepaged(driver: Driver): Promise<void> {
  const daemon = findKhugepaged();
  if (daemon === null) return;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE;
  await driver.ask([
    'f 0 1',
    `s 1 ${NR.mmap} ${ARENA} ${PMD_SIZE} ${PROT_READ | PROT_WRITE} ${flags} -1 0`,
    `s 1 ${NR.madvise} ${ARENA} ${PMD_SIZE} ${MADV_HUGEPAGE}`,
  ]);
  const before = getPriority(daemon);
  setPriority(daemon, constants.priority.PRIORITY_HIGHEST); // it is nice, and would keep us waiting on a busy machine
  while (isAtWork(daemon)) await after(1);
  setPriority(daemon, before);
  await driver.ask(['x 1']);
}

/** Its process id; null: it does not run, or can't be seen from in here. */
function findKhugepaged(): number | null {
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && read(`/proc/${name}/comm`) === 'khugepaged\n');
  return pid === undefined ? null : Number(pid);
}

/** It sleeps interruptibly only while it has nothing to do. */
const isAtWork = (daemon: number): boolean => /^State:\t[RD]/m.test(read(`/proc/${daemon}/status`));

/** A process may end at any moment. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
