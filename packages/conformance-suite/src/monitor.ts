import {
  ContractViolation,
  type Folio,
  isOp,
  type Kernel,
  type Op,
  PAGE_SIZE,
  type PageTableMove,
  type Rmap,
  type RmapHold,
  type RmapStrategy,
  type RmapVisitor,
  type Soon,
  type Task,
  type Vma,
} from '@rmap-lab/core';
import { watchAnswers } from './answers.js';
import { withHooks } from './facade.js';
import { sleepOf } from './sleeping.js';
import { MAY_FAIL, watchThrown } from './thrown.js';

/** A call of `visit` that has not returned. */
interface Visit {
  readonly hold: RmapHold;
  readonly folio: Folio;
  readonly vma: Vma;
  /** Addresses that it looks at, the last one excluded. */
  readonly from: number;
  readonly to: number;
}

/** A hold that lets no other walk of its folio, or of the pages of its VMA, be inside `visit`. */
interface Exclusive {
  readonly hold: RmapHold;
  readonly of: Folio | Vma;
}

type Sleeps = ReturnType<typeof sleepOf>;

/** What a monitor knows; a field of the strategy's object, so that a machine that is put back puts this back too. */
class Seen {
  visits: Visit[] = [];
  exclusive: Exclusive[] = [];
}
const SEEN = Symbol('what the monitor has seen');

const broken = (rule: string, hook: string, detail: string): ContractViolation =>
  new ContractViolation(rule, hook, 'a call of the contract', detail);
const without = <T>(list: readonly T[], one: T | undefined): T[] => list.filter((each) => each !== one);
const nameOf = (of: Folio | Vma): string => (typeof of === 'number' ? `folio ${of}` : `VMA ${of.id}`);
const excludes = ({ hold, of }: Exclusive, visit: Visit): boolean =>
  hold !== visit.hold && (of === visit.folio || of === visit.vma);

/**
 * The strategy with every call that crosses the contract looked at, also where threads are inside several at once: what no state
 * at the end of a schedule shows. The rest of it is untouched. Breaks are thrown as ContractViolation with their rule: R3, R8, R9, R10, R20, R21, R22, R24, R25.
 * @param kernel the machine on which it runs, where that is known
 */
export function monitored(strategy: RmapStrategy, kernel: () => Kernel | null = () => null): RmapStrategy {
  return withHooks(strategy, (rmap) => {
    const seen = new Seen();
    Object.assign(rmap, { [SEEN]: seen });
    watchAnswers(rmap);
    watchHolds(rmap, seen, sleepOf(strategy), kernel);
    watchWalks(rmap, seen, () => kernel()?.running ?? null);
    watchBrackets(rmap);
    watchThrown(rmap, MAY_FAIL);
  });
}

/** The strategy on a machine that has plenty of memory: no hook of it may throw anything. Breaks are thrown as ContractViolation: R3. */
export const unrefusing = (strategy: RmapStrategy): RmapStrategy => withHooks(strategy, (rmap) => watchThrown(rmap, NONE));

/** The same on a machine with one thread, with what its hooks answer and call back looked at, which takes longer: R3, R8, R9, R10. */
export const watched = (strategy: RmapStrategy): RmapStrategy =>
  withHooks(strategy, (rmap) => {
    watchAnswers(rmap);
    watchBrackets(rmap);
    watchThrown(rmap, NONE);
  });

const NONE: ReadonlySet<string> = new Set();

/** R24 and R25 as they show at `hold`, and R20 as it shows at `unlink`. */
function watchHolds(rmap: Rmap, seen: Seen, sleeps: Sleeps, kernel: () => Kernel | null): void {
  const { hold, holdVma, release, unlink } = rmap;
  rmap.hold = function* (folio, mode, wait) {
    const got = yield* wait ? soon(hold(folio, mode, wait)) : impatient(hold(folio, mode, wait), sleeps);
    if (mode === 'write' && got > 0) exclude(seen, { hold: got, of: folio });
    return got;
  };
  rmap.holdVma = function* (vma, mode) {
    const got = yield* soon(holdVma(vma, mode));
    if (mode === 'write' && got > 0) exclude(seen, { hold: got, of: vma });
    return got;
  };
  rmap.release = function* (held) {
    seen.exclusive = without(
      seen.exclusive,
      seen.exclusive.find((one) => one.hold === held),
    );
    yield* soon(release(held));
  };
  rmap.unlink = function* (vma) {
    yield* soon(unlink(vma));
    // What was cut from the VMA meanwhile keeps its tables, and so does a VMA that stays (MREMAP_DONTUNMAP).
    const inside = seen.visits.some((visit) => visit.vma === vma && visit.from < vma.end && vma.start < visit.to);
    if (inside && !stays(vma, kernel()))
      throw broken('R20', 'unlink', `it returned for VMA ${vma.id} while a walk is inside its page tables`);
  };
}

/** Whether `vma` remains part of an address space that somebody uses. */
const stays = (vma: Vma, kernel: Kernel | null): boolean =>
  vma.attached && (kernel?.processes.some((process) => process.mm.id === vma.mm.id) ?? false);

function exclude(seen: Seen, exclusive: Exclusive): void {
  const inside = seen.visits.find((visit) => excludes(exclusive, visit));
  if (inside !== undefined)
    throw broken(
      'R24',
      'hold',
      `a write hold of ${nameOf(exclusive.of)} was given while another walk visits VMA ${inside.vma.id}`,
    );
  seen.exclusive = [...seen.exclusive, exclusive];
}

/** R20, R21, R22 and R24 as they show at `visit`. */
function watchWalks(rmap: Rmap, seen: Seen, running: () => Task | null): void {
  const { walk } = rmap;
  rmap.walk = function* (hold, query, visitor) {
    let stopped = false;
    let asked = 0;
    const visit: RmapVisitor['visit'] = (vma, address) => {
      if (asked++ > 0) throw broken('R21', 'walk', UNHEARD);
      return look(vma, address);
    };
    function* look(vma: Vma, address: Parameters<RmapVisitor['visit']>[1]): Op<boolean> {
      asked = 0;
      if (stopped) throw broken('R21', 'walk', 'it goes on after `visit` said false');
      mayWait(running());
      const behind = vma.start + (query.last + 1 - vma.anonPgoff) * PAGE_SIZE;
      const one = { hold, folio: query.folio, vma, from: address, to: Math.min(vma.end, behind) };
      const other = seen.exclusive.find((exclusive) => excludes(exclusive, one));
      if (other !== undefined)
        throw broken('R24', 'walk', `it visits VMA ${vma.id} while somebody has a write hold of ${nameOf(other.of)}`);
      seen.visits = [...seen.visits, one];
      const more = yield* soon(visitor.visit(vma, address));
      seen.visits = without(seen.visits, one);
      stopped = !more;
      return more;
    }
    yield* walk(hold, query, {
      get found() {
        return visitor.found;
      },
      restart: () => visitor.restart(),
      visit,
    });
    if (asked > 0) throw broken('R21', 'walk', UNHEARD);
  };
}

const UNHEARD =
  'it did not run what `visit` answered, which may be an operation: `const r = visitor.visit(vma, address); if (!(typeof r === "boolean" ? r : yield* r)) return;`';

/** @throws ContractViolation R22 where a task calls `visit` that must not sleep */
function mayWait(task: Task | null): void {
  if (task === null || (task.atomic === 0 && task.rcuDepth === 0)) return;
  const held = task.atomic > 0 ? `${task.atomic} spinlock(s)` : 'an RCU read section';
  throw broken('R22', 'walk', `${task.name} holds ${held} over \`visit\``);
}

/** R8, R9 and R10: what is to be called once is called once, what is to be driven to its end is, and what fails there fails the hook. */
function watchBrackets(rmap: Rmap): void {
  const { adjust, forkMm, move } = rmap;
  if (adjust !== undefined)
    rmap.adjust = function* (change) {
      const watched = once('R8', 'adjust', 'apply', change.apply);
      yield* adjust({ ...change, apply: watched.call });
      watched.end();
    };
  if (forkMm !== undefined)
    rmap.forkMm = function* (child, parent, copy) {
      const watched = once('R9', 'forkMm', 'copy', copy);
      yield* forkMm(child, parent, watched.call);
      watched.end();
    };
  if (move !== undefined)
    rmap.move = function* (moving) {
      const watched = driven(moving);
      yield* move(watched);
      watched.end();
    };
}

/** What a hook must call once, and let pass what that throws; `end`: the hook returns. */
function once(rule: string, hook: string, what: string, act: () => Op<void>): { call(): Op<void>; end(): void } {
  let state: 'due' | 'begun' | 'done' = 'due';
  return {
    *call() {
      if (state !== 'due') throw broken(rule, hook, `it calls \`${what}\` once more`);
      state = 'begun';
      yield* act();
      state = 'done';
    },
    end() {
      if (state === 'due') throw broken(rule, hook, `it did not run \`yield* ${what}()\``);
      if (state === 'begun') throw broken(rule, hook, `\`${what}\` failed, and it returned as if all were well`);
    },
  };
}

/** A move that knows how far it was driven: by turns `next` finds an extent and `step` moves it, until `next` finds none. */
function driven(moving: PageTableMove): PageTableMove & { end(): void } {
  let state: 'begun' | 'found' | 'moved' | 'over' | 'failed' = 'begun';
  const { why, from, to, merged, fromStart, toStart, bytes } = moving;
  return {
    ...{ why, from, to, merged, fromStart, toStart, bytes },
    get level() {
      return moving.level;
    },
    *next() {
      if (state === 'found') throw broken('R10', 'move', 'it called `next` twice without `step`');
      state = 'failed';
      const more = yield* moving.next();
      state = more ? 'found' : 'over';
      return more;
    },
    *step() {
      if (state !== 'found') throw broken('R10', 'move', 'it called `step` without `next`');
      state = 'moved';
      yield* moving.step();
    },
    end() {
      if (state === 'failed') throw broken('R10', 'move', '`next` failed, and it returned as if all had moved');
      if (state !== 'over') throw broken('R10', 'move', 'it returned before `next` found nothing more to move');
    },
  };
}

function* soon<T>(answer: Soon<T>): Op<T> {
  return isOp(answer) ? yield* answer : answer;
}

/** A hold that was told not to wait. @throws ContractViolation R25 where it may come to wait for a sleeping lock, memory, or a grace period */
function* impatient<T>(answer: Soon<T>, sleeps: Sleeps): Op<T> {
  if (!isOp(answer)) return answer;
  for (let turn = answer.next(); ; turn = answer.next()) {
    if (turn.done) return turn.value;
    const what = sleeps(turn.value);
    if (what !== null) throw broken('R25', 'hold', `told not to wait, it ${what}`);
    yield turn.value;
  }
}
