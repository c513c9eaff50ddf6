import type { BodyRecord, Header } from '../format.js';
import { android } from './android.js';
import { apart } from './apart.js';
import { daemonise } from './daemonise.js';
import { forkChain } from './fork-chain.js';
import { forkFanOut } from './fork-fan-out.js';
import { forkServer } from './fork-server.js';
import { garbageCollector } from './garbage-collector.js';
import { jit } from './jit.js';
import { leftBehind } from './left-behind.js';
import { manyVmas } from './many-vmas.js';
import { memoryMerging } from './memory-merging.js';
import { memoryPressure } from './memory-pressure.js';
import { partialUnmap } from './partial-unmap.js';
import { realloc } from './realloc.js';
import { snapshot } from './snapshot.js';
import { zygote } from './zygote.js';

/** What makes the records of a generated workload; parameters are whole numbers by name. */
export type WorkloadGenerator = (parameters?: Readonly<Record<string, number>>) => Iterable<Header | BodyRecord>;

/** Generated workloads, by name. */
export const generators: Readonly<Record<string, WorkloadGenerator>> = {
  'fork-chain': forkChain,
  zygote: zygote,
  android,
  'fork-fan-out': forkFanOut,
  'fork-server': forkServer,
  daemonise: daemonise,
  apart: apart,
  'left-behind': leftBehind,
  jit: jit,
  realloc: realloc,
  'garbage-collector': garbageCollector,
  snapshot: snapshot,
  'partial-unmap': partialUnmap,
  'memory-merging': memoryMerging,
  'memory-pressure': memoryPressure,
  'many-vmas': manyVmas,
};
