import { describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  interleave,
  Kernel,
  MADV_DONTNEED,
  MADV_GUARD_INSTALL,
  MADV_HUGEPAGE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
} from '../../src/index.js';
import { pageList } from '../support/page-list.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const MIB2 = 512 * PAGE_SIZE;

/** Runs an operation that nobody disturbs. */
function alone<T>(op: Op<T>): T {
  for (let turn = op.next(); ; turn = op.next()) if (turn.done) return turn.value;
}

/** A folio that a PMD entry maps, in a process that others may interrupt. */
function machine(): [Kernel, Process, Folio] {
  const kernel = new Kernel({ strategy: pageList(), stepping: true });
  const process = alone(kernel.op.spawn());
  alone(process.op.mmap(MIB2, { at: page(0) }));
  alone(process.op.madvise(page(0), MIB2, MADV_HUGEPAGE));
  alone(process.op.write(page(0)));
  return [kernel, process, process.folioAt(page(0)) as Folio];
}

/** Lets `between` happen before each of the first steps of `act` in turn: those at which it has not begun with PTEs. */
function atEachStep(
  act: (process: Process) => Op<unknown>,
  between: (kernel: Kernel, process: Process, folio: Folio) => Op<unknown>,
  then = (_process: Process): void => {},
): void {
  for (let step = 0, turns = 0; step < 20 && turns >= step; step++) {
    const [kernel, process, folio] = machine();
    turns = 0;
    interleave(kernel, { act: act(process), between: between(kernel, process, folio) }, (n) => (turns++ < step ? 0 : n - 1));
    kernel.verify();
    then(process);
  }
}

// 1. An operation saw a PMD entry, and waited for the lock of its table.
// 2. A folio split, which takes no mmap_lock, turned the entry into a table of PTEs.
// 3. The operation took the table for the entry: it was lost, shared with the child, or moved unheard; mlock and mprotect passed it over.
describe('a PMD entry is split while an operation waits for its lock', () => {
  it.each<[string, (process: Process) => Op<unknown>]>([
    ['MADV_DONTNEED', ({ op }) => op.madvise(page(0), MIB2, MADV_DONTNEED)],
    ['exit', ({ op }) => op.exit()],
    ['fork', ({ op }) => op.fork()],
    ['mremap', ({ op }) => op.mremap(page(0), MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(2048) })],
  ])('%s', (_, act) => {
    atEachStep(act, ({ op }, _process, folio) => op.splitFolio(folio));
  });

  it('mprotect', () => {
    atEachStep(
      ({ op }) => op.mprotect(page(0), MIB2, PROT_READ),
      ({ op }, _process, folio) => op.splitFolio(folio),
      (process) => expect(process.pageAt(page(0)).writable).toBe(false),
    );
  });
});

// Its entry was overwritten by the marker, its counts stayed.
it('a page that a thread maps while guards are installed goes, too', () => {
  atEachStep(
    ({ op }) => op.madvise(page(0), MIB2, MADV_GUARD_INSTALL),
    (_kernel, { op }) => op.write(page(7)),
  );
});
