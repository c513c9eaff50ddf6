import { PAGE_SIZE, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { type BodyRecord, FORMAT, type Header, placeRecords, VERSION } from '@rmap-lab/workloads';
import { expect, it } from 'vitest';
import { measure } from '../src/index.js';

const END = 0x7ffd_0000_0000;

it('lets a recorded stack grow as deep as it did: its limit is not recorded', async () => {
  const stack = { start: END - 33 * PAGE_SIZE, end: END, prot: PROT_READ | PROT_WRITE, shared: false, file: null, offset: 0 };
  const records: (Header | BodyRecord)[] = [
    { type: 'header', format: FORMAT, version: VERSION, pageSize: PAGE_SIZE, source: 'test', options: {} },
    { type: 'process', process: 1, parent: null, kind: 'spawn' },
    { type: 'exec', process: 1, brk: null, layout: [{ ...stack, kind: 'stack' }] },
    { type: 'touch', process: 1, first: END / PAGE_SIZE - 5000, count: 1, stride: 1, write: true },
  ];
  const { failure } = await measure(anonVma(), { name: 'deep', kind: 'recorded', records: placeRecords(records) });
  expect(failure).toBeNull();
});
