import {
  type Address,
  arenaAddress,
  type Folio,
  type Kernel,
  KernelError,
  type Op,
  type Operation,
  PAGE_SIZE,
  type Process,
  ProgramRun,
  READY,
  SegmentationFault,
  TASK_SIZE,
  Unsupported,
} from '@rmap-lab/core';

/** What a thread does: an operation of programs, or something that follows the reverse map, or looks for any folio that there is. */
export type ThreadOperation =
  | Operation
  /** About the folio mapped at a page when the threads begin. */
  | { readonly op: 'walk' | 'referenced'; readonly process: number; readonly at: number }
  /** About every anonymous folio that is mapped when its turn comes, by frame number: compaction, reclaim. */
  | { readonly op: 'migrateAll' | 'reclaimAll' | 'referencedAll'; readonly process: number }
  /** exec(2) that shifts its new stack down by some pages. */
  | { readonly op: 'execShifted'; readonly process: number; readonly pages: number };

/** A scenario as plain data: what happens first, and then concurrently. */
export interface ScenarioProgram {
  readonly setup: readonly Operation[];
  /** By name of the thread: its operations, one after the other. */
  readonly threads: Readonly<Record<string, readonly ThreadOperation[]>>;
}

/** Operations of a program: those of the setup, then thread by thread. Their places are their numbers. */
export const operationsOf = ({ setup, threads }: ScenarioProgram): readonly ThreadOperation[] => [
  ...setup,
  ...Object.values(threads).flat(),
];

/** The program without some of its operations, by number; a thread with none left is gone. */
export function without({ setup, threads }: ScenarioProgram, dropped: ReadonlySet<number>): ScenarioProgram {
  let number = 0;
  const keep = <T>(operations: readonly T[]): T[] => operations.filter(() => !dropped.has(number++));
  const kept = keep(setup);
  const rest = Object.entries(threads).map(([name, operations]) => [name, keep(operations)] as const);
  return { setup: kept, threads: Object.fromEntries(rest.filter(([, operations]) => operations.length > 0)) };
}

/** The world after the setup. What a machine or a design refuses is passed over. */
export function setUp({ setup }: ScenarioProgram, kernel: Kernel): ProgramRun {
  const run = new ProgramRun(kernel);
  for (const operation of setup) {
    try {
      run.apply(operation);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  }
  return run;
}

/** The threads, about the processes and folios that there are now. */
export function threadsOf({ threads }: ScenarioProgram, run: ProgramRun): Record<string, Op<unknown>> {
  const ops: Record<string, Op<unknown>> = {};
  for (const name in threads) ops[name] = inTurn(run, threads[name]);
  return ops;
}

/** The folio that a thread called `walk` walks; null: there is none. */
export function walkedFolio({ threads }: ScenarioProgram, run: ProgramRun): Folio | null {
  const walk = threads.walk?.[0];
  return walk?.op === 'walk' ? folioOf(run, walk) : null;
}

const processOf = (run: ProgramRun, { process }: ThreadOperation): Process => run.processes[process % run.processes.length];
const folioOf = (run: ProgramRun, operation: ThreadOperation & { at: number }): Folio | null =>
  processOf(run, operation).folioAt(arenaAddress(operation.at));

function opOf(run: ProgramRun, operation: ThreadOperation): Op<unknown> {
  switch (operation.op) {
    case 'walk':
    case 'referenced': {
      const folio = folioOf(run, operation);
      return folio === null ? READY : run.kernel.op[operation.op](folio);
    }
    case 'migrateAll':
      return withAll(run.kernel, (folio) => run.kernel.op.migrate(folio));
    case 'reclaimAll':
      return withAll(run.kernel, (folio) => run.kernel.op.reclaim(folio));
    case 'referencedAll':
      return withAll(run.kernel, (folio) => run.kernel.op.referenced(folio));
    case 'execShifted':
      return processOf(run, operation).op.exec({ stackTop: (TASK_SIZE - operation.pages * PAGE_SIZE) as Address });
    case 'uffdMove': {
      const [to, from] = [arenaAddress(operation.to), arenaAddress(operation.from)];
      return processOf(run, operation).op.uffdMove({ to, from, length: operation.pages * PAGE_SIZE });
    }
    default:
      return run.op(operation);
  }
}

const inTurn = (run: ProgramRun, operations: readonly ThreadOperation[]): Op<unknown> =>
  operations.length === 1 ? opOf(run, operations[0]) : allOf(operations.map((operation) => opOf(run, operation)));

/** What the kernel refuses does not keep the rest from being done. */
function* allOf(ops: readonly Op<unknown>[]): Op<void> {
  for (const op of ops) {
    try {
      yield* op;
    } catch (error) {
      if (!(error instanceof KernelError || error instanceof SegmentationFault)) throw error;
    }
  }
}

/** One folio after the other, as they are found at each turn; what a migration made is left alone. */
function* withAll(kernel: Kernel, work: (folio: Folio) => Op<unknown>): Op<void> {
  const done = new Set<Folio>();
  for (;;) {
    yield { kind: 'load', object: kernel, label: 'all folios' };
    const next = [...kernel.folios()].find((folio) => !done.has(folio));
    if (next === undefined) return;
    done.add(next);
    const made = yield* work(next);
    if (typeof made === 'number') done.add(made as Folio);
  }
}
