import { ProgramRun } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { expect, it } from 'vitest';
import { cases, runCase } from '../src/index.js';
import { KERNEL_TESTS } from './kernel-coverage.js';

it('every case that the table of the kernel tests names is there', () => {
  const ids = new Set(cases.map(({ id }) => id));
  const named = Object.values(KERNEL_TESTS).flatMap((rows) =>
    rows.flatMap(([, covered]) => (typeof covered === 'string' ? [] : covered)),
  );
  expect(named.filter((id) => !ids.has(id))).toEqual([]);
});

it('what a case does is done: no operation of its program is refused, but where the case says so', () => {
  const refused: string[] = [];
  const { apply } = ProgramRun.prototype;
  let current = '';
  ProgramRun.prototype.apply = function (operation) {
    const answer = apply.call(this, operation);
    if (answer !== 'ok') refused.push(`${current}: ${operation.op} ${answer}`);
    return answer;
  };
  try {
    for (const each of cases) {
      if (!['one-address-space', 'families', 'large-folios', 'walkers'].includes(each.level)) continue;
      current = each.id;
      runCase(each, anonVma());
    }
  } finally {
    ProgramRun.prototype.apply = apply;
  }
  // Shared pages are not UFFDIO_MOVE's to move, and in some situations others do not map the place of the page any more.
  const known = /^walkers\/(uffd-move\/.*: uffdMove EBUSY|swap-in\/.*: read SIGSEGV)$/;
  expect(refused.filter((line) => !known.test(line))).toEqual([]);
});
