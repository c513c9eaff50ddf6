import { MAP_ANONYMOUS, MAP_SHARED, PAGE_SIZE, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { type BodyRecord, FORMAT, type Header, placeRecords, VERSION } from '@rmap-lab/workloads';
import { expect, it } from 'vitest';
import { measure } from '../src/index.js';

const SHARED = MAP_SHARED | MAP_ANONYMOUS;
const AT = 0x1000_0000;
const END = 0x7ffd_0000_0000;

it('lets a recorded stack grow as deep as it did, and a program map as much as it could', async () => {
  const stack = { start: END - 33 * PAGE_SIZE, end: END, prot: PROT_READ | PROT_WRITE, shared: false, file: null, offset: 0 };
  const records: (Header | BodyRecord)[] = [
    {
      type: 'header',
      format: FORMAT,
      version: VERSION,
      pageSize: PAGE_SIZE,
      source: 'test',
      options: { 'max-map-count': '2' },
    },
    { type: 'process', process: 1, parent: null, kind: 'spawn' },
    { type: 'exec', process: 1, brk: null, layout: [{ ...stack, kind: 'stack' }] },
    { type: 'touch', process: 1, first: END / PAGE_SIZE - 5000, count: 1, stride: 1, write: true },
    { type: 'call', process: 1, call: 'mmap', args: [AT, 3 * PAGE_SIZE, PROT_READ, SHARED, -1, 0], result: AT },
    { type: 'call', process: 1, call: 'munmap', args: [AT + PAGE_SIZE, PAGE_SIZE], result: 'ENOMEM' },
  ];
  const { failure } = await measure(anonVma(), { name: 'deep', kind: 'recorded', records: placeRecords(records) });
  expect(failure).toBeNull();
});
