import fc from 'fast-check';
import { type BodyRecord, CALLS, type CallName, type Header, type LayoutEntry } from '../src/index.js';

/** A header that says no more than it must. */
export const HEADER: Header = {
  type: 'header',
  format: 'rmap-lab-trace',
  version: 1,
  pageSize: 4096,
  source: 'test',
  options: {},
};

const PAGES = 2 ** 35;
const ids = fc.nat(2 ** 31 - 1);
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const bytes = fc.nat(2 ** 47 - 1);
const pages = fc.nat(PAGES - 1);
const prot = fc.nat(7);
const bits = fc.nat(2 ** 32 - 1);
const access = fc.boolean();
const argument = {
  address: bytes,
  to: bytes,
  length: bytes,
  oldLength: bytes,
  newLength: bytes,
  prot: bits,
  flags: bits,
  advice: bits,
  file: fc.oneof(fc.constant(-1), ids),
  offset: fc.maxSafeNat(),
};

export const header: fc.Arbitrary<Header> = fc
  .record({ source: text, options: fc.dictionary(text, text, { noNullPrototype: true }) })
  .map((settings) => ({ ...HEADER, ...settings }));

const entry = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), file: ids, offset: fc.maxSafeNat() }),
  fc.record({
    kind: fc.constantFrom('anonymous' as const, 'heap' as const, 'special' as const),
    file: fc.constant(null),
    offset: fc.constant(0),
  }),
);
/** Entries one above the other, the lengths of gaps and entries in pages. */
const layout = fc
  .array(fc.record({ gap: fc.nat(9), length: fc.integer({ min: 1, max: 9 }), prot, shared: fc.boolean(), entry }), {
    maxLength: 6,
  })
  .map((parts) => {
    let end = 0;
    return parts.map(({ gap, length, prot, shared, entry }): LayoutEntry => {
      const start = end + gap * 4096;
      end = start + length * 4096;
      return { start, end, prot, shared, ...entry };
    });
  });

const call = fc.constantFrom(...(Object.keys(CALLS) as CallName[])).chain((name) =>
  fc.record({
    type: fc.constant('call' as const),
    process: ids,
    call: fc.constant(name),
    args: fc.tuple(...CALLS[name].map((each) => argument[each])),
    result: fc.oneof(bytes, fc.constantFrom('ENOMEM' as const, 'EINVAL' as const, 'EACCES' as const)),
  }),
);
const touch = fc
  .record({
    process: fc.nat(1),
    first: pages,
    count: fc.integer({ min: 1, max: 4 }),
    stride: fc.constantFrom(-1, 1, 2),
    write: access,
  })
  .filter(({ first, count, stride }) => first + (count - 1) * stride >= 0 && first + (count - 1) * stride < PAGES)
  .map((run): BodyRecord => ({ type: 'touch', ...run }));

/** Any record but header and end. */
export const body: fc.Arbitrary<BodyRecord> = fc.oneof(
  { arbitrary: touch, weight: 4 },
  { arbitrary: call, weight: 4 },
  fc.record({
    type: fc.constant('process' as const),
    process: ids,
    parent: ids,
    kind: fc.constantFrom('fork' as const, 'vfork' as const, 'thread' as const),
  }),
  ids.map((process): BodyRecord => ({ type: 'process', process, parent: null, kind: 'spawn' })),
  fc.record({ type: fc.constant('exec' as const), process: ids, brk: fc.option(bytes), layout }),
  ids.map((process): BodyRecord => ({ type: 'exit', process })),
  fc.record({ type: fc.constant('file' as const), file: ids, name: text, size: fc.option(fc.maxSafeNat()) }),
  fc.record({
    type: fc.constant('kernel' as const),
    action: fc.constantFrom('reclaim' as const, 'ksm-merge' as const, 'memory-failure' as const),
    process: ids,
    first: pages,
    pages: fc.constant(1),
  }),
  text.map((name): BodyRecord => ({ type: 'mark', name })),
);
