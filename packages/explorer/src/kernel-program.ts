import {
  ContractViolation,
  type Folio,
  Kernel,
  KernelError,
  type KernelOptions,
  Leak,
  type Op,
  type RmapStrategy,
  SegmentationFault,
  type Step,
  Task,
  Unsupported,
  type WalkResult,
} from '@rmap-lab/core';
import { Accesses } from './accesses.js';
import { Detectors } from './detectors.js';
import { Hash } from './hash.js';
import { type Kept, keptProgram } from './kept.js';
import { LockEdges } from './lock-edges.js';
import { type End, type Program, Untraceable, type World } from './program.js';
import { LockWatch } from './tracing/lock-watch.js';
import { Tracing } from './tracing/tracing.js';
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
  /** The folio that a thread called `walk` walks; null: none is left to be walked. */
  folio?(world: W): Folio | null;
  /** Of a scenario that can do without some of its operations: how many it has. */
  readonly operations?: number;
  /** The scenario without some of its operations, by number from 0. */
  without?(dropped: ReadonlySet<number>): Scenario<W>;
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
 *
 * The machine is set up once; later schedules find it put back, unless a fresh one is asked for or the strategy's state is not managed.
 * A final state that was checked and is right is not checked again.
 */
export function kernelProgram<W>(scenario: Scenario<W>, options: KernelProgramOptions): Program {
  return withEdges(scenario, options, new LockEdges(options.strategy.locks));
}

/** The program, which learns the order of locks together with others. */
function withEdges<W>(scenario: Scenario<W>, options: KernelProgramOptions, edges: LockEdges): Program {
  const { operations, without } = scenario;
  const program = Object.assign(programOf(scenario, options, edges), { edges });
  if (operations === undefined || without === undefined) return program;
  const rest = (dropped: ReadonlySet<number>): Program => withEdges(without(dropped), options, edges);
  return Object.assign(program, { operations, without: rest });
}

function programOf<W>(scenario: Scenario<W>, { strategy, checked = true }: KernelProgramOptions, edges: LockEdges): Program {
  const make = (): Ready<W> => setUp(scenario, strategy, checked, edges);
  const start = (ready: Ready<W>, kept: Kept<Ready<W>> | null, telling = kept === null): World =>
    begin(scenario, strategy, ready, kept, telling);
  const keep = keptProgram(make, start, ({ kernel, world, main, detectors }) => {
    const tracing = new Tracing([{ kernel, world }, main]);
    kernel.watch(new LockWatch(tracing, detectors));
    return tracing;
  });
  if (strategy.state === 'managed') return keep;
  return (how) => {
    if (how === 'traced') throw new Untraceable(`${UNMANAGED} of '${strategy.name}': explore it by bounded, pct, pos or random`);
    return start(make(), null, how === 'fresh');
  };
}

const UNMANAGED = "what threads read can't be followed, as that takes state: 'managed', not that";

/** A machine on which the scenario's threads can begin. */
interface Ready<W> {
  readonly kernel: Kernel;
  readonly main: Task;
  readonly tasks: Task[];
  readonly detectors: Detectors | null;
  readonly world: W;
}

function setUp<W>(scenario: Scenario<W>, strategy: RmapStrategy, checked: boolean, edges: LockEdges): Ready<W> {
  const kernel = new Kernel({ ...scenario.machine, strategy, stepping: true, checked });
  const main = new Task(0, 'main');
  kernel.schedule(main);
  const tasks: Task[] = [];
  const detectors = checked ? new Detectors(strategy.locks, tasks, edges.learn) : null;
  kernel.watch(detectors);
  return { kernel, main, tasks, detectors, world: scenario.setup(kernel) };
}

function begin<W>(
  scenario: Scenario<W>,
  strategy: RmapStrategy,
  { kernel, main, tasks, detectors, world }: Ready<W>,
  kept: Kept<Ready<W>> | null,
  telling: boolean,
): World {
  const operations = scenario.threads(kernel, world);
  const folio = 'walk' in operations ? (scenario.folio?.(world) ?? null) : null;
  const watch = folio === null ? null : new WalkWatch(kernel, folio, kept?.tracing !== undefined);
  const threads: Record<string, Op<unknown>> = {};
  for (const name in operations) {
    tasks.push(new Task(tasks.length + 1, name));
    const op = operations[name];
    threads[name] = new Started(name === 'walk' && watch !== null ? watch.during(op as Op<WalkResult>) : op);
  }
  for (const task of tasks) kept?.tracing?.adopt(task);
  const accesses = telling && detectors !== null ? new Accesses(detectors) : null;
  if (accesses !== null) kernel.watch(accesses);
  detectors?.begin();
  return {
    threads,
    accessed: accesses === null ? undefined : () => accesses.take(),
    tracing: kept?.tracing,
    fingerprint: kept === null ? undefined : fingerprintOf(kept, watch),
    held: (thread) => detectors?.heldBy(tasks[thread]) ?? [],
    schedule: (thread) => kernel.schedule(tasks[thread]),
    stepped: watch === null ? undefined : (step) => watch.stepped(step),
    answers: (error) => error instanceof KernelError || error instanceof SegmentationFault || error instanceof Unsupported,
    settle: (ends) => {
      kernel.schedule(main);
      detectors?.end();
      for (const task of tasks) nothingHeld(task);
      kernel.runDeferred();
      scenario.check?.(kernel, world, ends);
      const check = (): void => checkEnd(kernel, strategy);
      if (kept === null) check();
      else kept.once(check);
    },
  };
}

const hash = new Hash();

/** The machine, and what a walk under way has seen of the truth; undefined: the machine is not traced. */
function fingerprintOf(kept: Kept<object>, watch: WalkWatch | null): World['fingerprint'] {
  if (kept.tracing === undefined) return undefined;
  if (watch === null) return () => kept.state();
  return () => {
    hash.restart(kept.state());
    watch.digest(hash);
    return hash.value;
  };
}

/** What must hold when all threads have ended, and when all processes have. */
function checkEnd(kernel: Kernel, { unsupported }: RmapStrategy): void {
  kernel.verify();
  noMigrations(kernel);
  for (const process of [...kernel.processes]) process.exit();
  // What KSM knew of processes that are gone, it forgets when it next comes by.
  if (unsupported?.ksm === undefined) kernel.ksmScan();
  for (const [cache, { live }] of Object.entries(kernel.stats().slab))
    if (live > 0) throw new Leak(cache, `${live} object(s) are left after the last exit`);
}

/** Nothing of an operation runs before its thread is chosen for the first time. A generator would be one more to go through at each step. */
class Started<T> implements Generator<Step, T, void> {
  private started = false;
  constructor(private readonly op: Op<T>) {}

  next(): IteratorResult<Step, T> {
    if (this.started) return this.op.next();
    this.started = true;
    return { done: false, value: { kind: 'choice', object: this.op, label: 'start' } };
  }

  return(value: T): IteratorResult<Step, T> {
    return this.op.return(value);
  }

  throw(error: unknown): IteratorResult<Step, T> {
    return this.op.throw(error);
  }

  [Symbol.iterator](): this {
    return this;
  }
}

function nothingHeld({ held, rcuDepth, atomic, name }: Task): void {
  if (held > 0 || atomic > 0)
    throw new ContractViolation('R28', 'lock', 'end of thread', `thread ${name} still holds ${held} lock(s)`);
  if (rcuDepth > 0)
    throw new ContractViolation('R30', 'rcu', 'end of thread', `thread ${name} is still inside an RCU read section`);
}

/** R23: the second walk of a migration finds all that the first one left. `verify` knows entries whose migration is over. */
function noMigrations({ migrations }: Kernel): void {
  if (migrations > 0) throw new ContractViolation('R23', 'walk', 'end', `${migrations} migrations are under way`);
}
