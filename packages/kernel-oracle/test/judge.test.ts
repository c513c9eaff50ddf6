import { MADV_PAGEOUT, type Operation, PROT_READ, PROT_WRITE, programToCode } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, expect } from 'vitest';
import { Judge, sideBySide } from '../src/index.js';
import { observed, oracle } from './observed.js';
import { programs } from './regressions.js';
import { wrongAnonVma } from './wrong-anon-vma.js';

afterAll(() => oracle.stop?.());

const RW = PROT_READ | PROT_WRITE;
const map = (at: number, pages: number): Operation => ({
  op: 'mmap',
  process: 0,
  at,
  pages,
  prot: RW,
  flags: 0,
  memory: 'private',
  offset: 0,
});

observed.each(Object.entries(programs))('the kernel and the model agree: %s', async (_, program) => {
  const swap = program.some((operation) => operation.op === 'madvise' && operation.advice === MADV_PAGEOUT);
  const settings = { orders: [9], swap };
  const { difference } = await oracle.system.with(settings, () =>
    new Judge(oracle.driver, anonVma, settings).compare(program, 1),
  );
  expect(difference && sideBySide(difference)).toBeNull();
});

observed('a model that is wrong is found out, at the operation that shows it', async () => {
  const program: Operation[] = [
    map(0, 2),
    { op: 'write', process: 0, at: 0 },
    map(10, 2),
    { op: 'write', process: 0, at: 10 },
    { op: 'fork', process: 0 },
    map(2, 8),
    { op: 'write', process: 0, at: 5 },
  ];
  expect((await new Judge(oracle.driver, anonVma).compare(program, 3)).difference).toBeNull();
  const { difference } = await new Judge(oracle.driver, wrongAnonVma).compare(program, 3);
  expect(difference?.program).toEqual(program.slice(0, 6));
  const printed = sideBySide(difference!);
  expect(printed).toContain(programToCode(program.slice(0, 6)));
  expect(printed).toMatch(/kernel: .*vma start 0/);
});
