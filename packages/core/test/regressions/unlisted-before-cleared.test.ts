import { expect, it } from 'vitest';
import { Kernel, MADV_DONTNEED, PAGE_SIZE } from '../../src/index.js';
import { pageList } from '../support/page-list.js';

// 1. madvise told the strategy that an entry is gone (`unmapped`), and let others run before it cleared the entry.
// 2. A design that lists entries had it in no list any more.
// 3. A walk in between met the entry in no list, though it was there all the time (R18).
it('an entry is cleared in the step in which the strategy hears of it', () => {
  let heard = false;
  const strategy = pageList();
  const kernel = new Kernel({
    stepping: true,
    strategy: {
      ...strategy,
      create: (services) => {
        const rmap = strategy.create(services);
        const { unmapped } = rmap;
        return Object.assign(rmap, {
          unmapped: (span: Parameters<NonNullable<typeof unmapped>>[0]) => {
            heard = true;
            return unmapped?.call(rmap, span);
          },
        });
      },
    },
  });
  const process = kernel.spawn();
  const at = process.mmap(PAGE_SIZE);
  process.write(at);
  const seen: boolean[] = [];
  const madvise = process.op.madvise(at, PAGE_SIZE, MADV_DONTNEED);
  for (let step = madvise.next(); !step.done; step = madvise.next()) if (heard) seen.push(process.folioAt(at) !== null);
  expect(heard).toBe(true);
  expect(process.folioAt(at)).toBeNull();
  expect(seen).not.toContain(true);
});
