import {
  type Address,
  type Folio,
  Kernel,
  KernelError,
  type KernelOptions,
  Leak,
  type Op,
  PAGE_SIZE,
  type RmapStrategy,
  SegmentationFault,
  type Step,
  Task,
  Unsupported,
  type WalkResult,
} from '@rmap-lab/core';
import { Detectors } from './detectors.js';
import type { End, Program } from './program.js';
import { WalkWatch } from './walk-watch.js';

/** A few concurrent operations on a small machine, written like a test. */
export interface Scenario<W = unknown> {
  readonly name: string;
  /** How the machine is made, beside the strategy. */
  readonly machine?: Pick<KernelOptions, 'thp'>;
  /** Builds the world, operation by operation, before any thread runs. */
  setup(kernel: Kernel): W;
  /** The operations to run concurrently, by name. One that is called `walk` must answer a walk of `folio(world)`. */
  threads(kernel: Kernel, world: W): Readonly<Record<string, Op<unknown>>>;
  /** The folio that a thread called `walk` walks. */
  folio?(world: W): Folio;
  /** What must hold at the end, beside what always must. @throws what is wrong */
  check?(kernel: Kernel, world: W, ends: Readonly<Record<string, End>>): void;
}

/** How a scenario is run. */
export interface KernelProgramOptions {
  readonly strategy: RmapStrategy;
  /** Every access to a freed object is caught, and data races, and inversions of locks. Default true; false to measure what that costs. */
  readonly checked?: boolean;
}

/**
 * A scenario under a strategy, to be explored. At the end of every schedule all walks, counts and invariants are checked, no
 * lock may be held and no migration entry be left, and after the exit of all processes no object. A concurrent walk must have
 * visited every process that mapped the folio all the time (R18), and nothing that never did.
 */
export function kernelProgram<W>(scenario: Scenario<W>, { strategy, checked = true }: KernelProgramOptions): Program {
  return () => {
    const kernel = new Kernel({ ...scenario.machine, strategy, stepping: true, checked });
    const main = new Task(0, 'main');
    kernel.schedule(main);
    const tasks: Task[] = [];
    const detectors = checked ? new Detectors(strategy.locks, tasks) : null;
    kernel.watch(detectors);
    const world = scenario.setup(kernel);
    const operations = scenario.threads(kernel, world);
    tasks.push(...Object.keys(operations).map((name, i) => new Task(i + 1, name)));
    const watch = 'walk' in operations && scenario.folio !== undefined ? new WalkWatch(kernel, scenario.folio(world)) : null;
    const threads = Object.fromEntries(
      Object.entries(operations).map(([name, op]) => [
        name,
        started(name === 'walk' && watch !== null ? watch.during(op as Op<WalkResult>) : op),
      ]),
    );
    detectors?.begin();
    return {
      threads,
      held: (thread) => detectors?.heldBy(tasks[thread]) ?? [],
      schedule: (thread) => kernel.schedule(tasks[thread]),
      ...(watch === null ? {} : { stepped: (step: Step) => watch.stepped(step) }),
      answers: (error) => error instanceof KernelError || error instanceof SegmentationFault || error instanceof Unsupported,
      settle: (ends) => {
        kernel.schedule(main);
        detectors?.end();
        for (const task of tasks) nothingHeld(task);
        kernel.runDeferred();
        kernel.verify();
        noMigrationEntries(kernel);
        scenario.check?.(kernel, world, ends);
        for (const process of [...kernel.processes]) process.exit();
        // What KSM knew of processes that are gone, it forgets when it next comes by.
        if (strategy.unsupported?.ksm === undefined) kernel.ksmScan();
        for (const [cache, { live }] of Object.entries(kernel.stats().slab))
          if (live > 0) throw new Leak(cache, `${live} object(s) are left after the last exit`);
      },
    };
  };
}

/** Nothing of an operation runs before its thread is chosen for the first time. */
function* started<T>(op: Op<T>): Op<T> {
  yield { kind: 'choice', object: op, label: 'start' };
  return yield* op;
}

function nothingHeld({ held, rcuDepth, atomic, name }: Task): void {
  if (held > 0 || atomic > 0) throw new Leak('lock', `thread ${name} ended with ${held} lock(s) held`);
  if (rcuDepth > 0) throw new Leak('rcu', `thread ${name} ended inside an RCU read section`);
}

/** R23: the second walk of a migration finds all that the first one left. */
function noMigrationEntries(kernel: Kernel): void {
  for (const process of kernel.processes)
    for (const { start, end } of process.vmas())
      for (let at: number = start; at < end; at += PAGE_SIZE)
        if (process.pageAt(at as Address).kind === 'migration')
          throw new Leak('migration entry', `process ${process.id} has one at 0x${at.toString(16)} at the end (R23)`);
}
