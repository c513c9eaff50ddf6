import { PROT_READ } from '@rmap-lab/core';
import type { BodyRecord, Header } from '../format.js';
import { fork, map, mark, protect, regionAt, spawn, touch, unmap } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link android} may be told. */
export interface AndroidOptions {
  /** Written VMAs of the zygote: heaps, and writable data of preloaded libraries. Default 1000. */
  readonly zygoteVmas?: number;
  /** Processes forked from the zygote while the phone starts: system server, persistent and cached apps. Default 40. */
  readonly bootApps?: number;
  /** Apps launched afterwards. Default 24. */
  readonly apps?: number;
  /** Native services, started by fork and exec, hence without inherited memory. Default 150. */
  readonly services?: number;
  /** Written VMAs that each app adds. Default 800. */
  readonly appVmas?: number;
  /** Written VMAs of each service. Default 100. */
  readonly serviceVmas?: number;
  /** Every how many-th app forks a helper of its own. Default 8. */
  readonly helperEvery?: number;
}

/** Pages of every VMA; what is written of them. */
const PAGES = 3;

/**
 * A phone: services, a zygote with preloaded memory, apps forked from it that write to one inherited VMA in four and add their own. One
 * own VMA in four is the data of a library, whose first page becomes read-only once it is written (RELRO), and one of those in eight is
 * unloaded again. Marks: `boot`, `apps`. The figures are assumptions, stated before any run: no published source gives them.
 */
export function* android({
  zygoteVmas = 1000,
  bootApps = 40,
  apps = 24,
  services = 150,
  appVmas = 800,
  serviceVmas = 100,
  helperEvery = 8,
}: AndroidOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('android', { zygoteVmas, bootApps, apps, services, appVmas, serviceVmas, helperEvery });
  let next = 0;
  const zygote = next++;
  yield spawn(zygote);
  yield* ownMemory(zygote, 0, zygoteVmas);
  for (let service = 0; service < services; service++) {
    const process = next++;
    yield spawn(process);
    yield* ownMemory(process, 0, serviceVmas);
  }
  for (let app = 0; app < bootApps + apps; app++) {
    if (app === bootApps) yield mark('boot');
    const process = next++;
    yield fork(process, zygote);
    for (let n = 1; n < zygoteVmas; n += 4) yield touch(process, 'write', regionAt(n, PAGES) + PAGES - 1, 1);
    yield* ownMemory(process, zygoteVmas, zygoteVmas + appVmas);
    if (app % helperEvery === helperEvery - 1) yield fork(next++, process);
  }
  yield mark('apps');
}

/** VMAs of a process's own, from the `first`-th place on. */
function* ownMemory(process: number, first: number, end: number): Generator<BodyRecord, void> {
  for (let n = first; n < end; n++) {
    yield map(process, regionAt(n, PAGES), PAGES);
    yield touch(process, 'write', regionAt(n, PAGES), PAGES);
    if (n % 4 === 0) yield protect(process, regionAt(n, PAGES), 1, PROT_READ);
    if (n % 32 === 0) yield unmap(process, regionAt(n, PAGES), PAGES);
  }
}
