import type { Errno } from '@rmap-lab/core';
import {
  type BodyRecord,
  CALLS,
  type CallName,
  type CallRecord,
  type EndRecord,
  FORMAT,
  type Header,
  type KernelRecord,
  type LayoutEntry,
  type ProcessRecord,
  type TouchRecord,
  VERSION,
} from './format.js';
import { Malformed } from './malformed.js';
import { bad, bits, bytes, fileBytes, id, integer, object, oneOf, orNull, PAGES, text, tuple, wholePages } from './values.js';

type Known<K extends string> = Readonly<Record<K, true>>;

const PROCESS_KINDS: Known<ProcessRecord['kind']> = { spawn: true, fork: true, vfork: true, thread: true };
const LAYOUT_KINDS: Known<LayoutEntry['kind']> = { file: true, anonymous: true, stack: true, heap: true, special: true };
const SHARING = { p: false, s: true };
const ACCESS = { r: false, w: true };
const ACTIONS: Known<KernelRecord['action']> = {
  reclaim: true,
  migrate: true,
  'ksm-merge': true,
  collapse: true,
  split: true,
  'swap-in': true,
  'memory-failure': true,
};
const ERRNOS: Known<Errno> = {
  EAGAIN: true,
  EBUSY: true,
  EEXIST: true,
  EFAULT: true,
  EINVAL: true,
  ENOENT: true,
  ENOMEM: true,
  EOVERFLOW: true,
  EPERM: true,
  ESRCH: true,
  EACCES: true,
};

const ARGUMENTS: Readonly<Record<(typeof CALLS)[CallName][number], (value: unknown, what: string) => number>> = {
  address: bytes,
  to: bytes,
  length: bytes,
  oldLength: bytes,
  newLength: bytes,
  prot: bits,
  flags: bits,
  advice: bits,
  file: (value, what) => (value === -1 ? -1 : id(value, what)),
  offset: fileBytes,
};

function process(line: readonly unknown[]): ProcessRecord {
  const [, number, above, how] = tuple(line, 'process', 4);
  const parent = orNull(above, 'parent', id);
  const kind = oneOf(how, 'kind', PROCESS_KINDS);
  if ((parent === null) !== (kind === 'spawn')) throw bad('parent', kind === 'spawn' ? 'null for a spawn' : 'a process', parent);
  return { type: 'process', process: id(number, 'process'), parent, kind };
}

function layoutEntry(value: unknown): LayoutEntry {
  const line = tuple(value, 'layout entry', 7);
  const kind = oneOf(line[4], 'kind of layout entry', LAYOUT_KINDS);
  const file = orNull(line[5], 'file', id);
  if ((file === null) !== (kind !== 'file')) throw bad('file', kind === 'file' ? 'a number' : `null for ${kind}`, file);
  return {
    start: wholePages(line[0], 'start'),
    end: wholePages(line[1], 'end'),
    prot: integer(line[2], 'prot', 0, 7),
    shared: SHARING[oneOf(line[3], 'sharing', SHARING)],
    kind,
    file,
    offset: fileBytes(line[6], 'offset'),
  };
}

function exec(line: readonly unknown[]): BodyRecord {
  const [, number, end, entries] = tuple(line, 'exec', 4);
  if (!Array.isArray(entries)) throw bad('layout', 'an array', entries);
  const layout = entries.map(layoutEntry);
  let above = 0;
  for (const { start, end } of layout) {
    if (start < above || end <= start)
      throw new Malformed('layout entries must be ascending, not empty and apart from each other');
    above = end;
  }
  if (layout.filter(({ kind }) => kind === 'stack').length > 1) throw new Malformed('a layout has one stack');
  return { type: 'exec', process: id(number, 'process'), brk: orNull(end, 'brk', bytes), layout };
}

function call(line: readonly unknown[]): CallRecord {
  const name = oneOf(line[2], 'call', CALLS);
  const names = CALLS[name];
  tuple(line, name, names.length + 4);
  const args = names.map((argument, i) => ARGUMENTS[argument](line[3 + i], `${name}'s ${argument}`));
  const answer = line[3 + names.length];
  const result = typeof answer === 'string' ? oneOf(answer, 'errno', ERRNOS) : bytes(answer, 'result');
  return { type: 'call', process: id(line[1], 'process'), call: name, args, result };
}

/** Whether a record may hold these arguments of a call. */
export function canHold(name: CallName, args: readonly number[]): boolean {
  try {
    for (const [i, argument] of CALLS[name].entries()) ARGUMENTS[argument](args[i], argument);
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

function touch(line: readonly unknown[]): TouchRecord {
  tuple(line, 'touch', 6);
  const first = integer(line[2], 'first', 0, PAGES - 1);
  const count = integer(line[3], 'count', 1, PAGES);
  const stride = integer(line[4], 'stride', -PAGES, PAGES);
  const last = first + (count - 1) * stride;
  if (stride === 0 || last < 0 || last >= PAGES) throw bad('stride', 'a step that stays inside the address space', stride);
  const write = ACCESS[oneOf(line[5], 'access', ACCESS)];
  return { type: 'touch', process: id(line[1], 'process'), first, count, stride, write };
}

function file(line: readonly unknown[]): BodyRecord {
  const [, number, name, size] = tuple(line, 'file', 4);
  return { type: 'file', file: id(number, 'file'), name: text(name, 'name'), size: orNull(size, 'size', fileBytes) };
}

function kernel(line: readonly unknown[]): KernelRecord {
  const [, action, number, from, length] = tuple(line, 'kernel', 5);
  const first = integer(from, 'first', 0, PAGES - 1);
  const pages = integer(length, 'pages', 1, PAGES - first);
  return { type: 'kernel', action: oneOf(action, 'action', ACTIONS), process: id(number, 'process'), first, pages };
}

function end(line: readonly unknown[]): EndRecord {
  const [, found, checksum] = tuple(line, 'end', 3);
  const counts: Record<string, number> = {};
  for (const [type, count] of Object.entries(object(found, 'counts'))) {
    oneOf(type, 'counted type', BODY);
    counts[type] = integer(count, `count of ${type}`, 1, Number.MAX_SAFE_INTEGER);
  }
  if (typeof checksum !== 'string' || !/^[0-9a-f]{8}$/.test(checksum)) throw bad('checksum', '8 hexadecimal digits', checksum);
  return { type: 'end', counts, checksum };
}

const BODY = {
  process,
  exec,
  exit: (line: readonly unknown[]): BodyRecord => ({ type: 'exit', process: id(tuple(line, 'exit', 2)[1], 'process') }),
  call,
  touch,
  file,
  kernel,
  mark: (line: readonly unknown[]): BodyRecord => ({ type: 'mark', name: text(tuple(line, 'mark', 2)[1], 'name') }),
};
const DECODERS = { ...BODY, end };

/** The record that any line but the first holds. @throws Malformed */
export function decodeRecord(line: unknown): BodyRecord | EndRecord {
  if (!Array.isArray(line)) throw bad('a record', 'an array', line);
  // Nearly every record is a touch.
  if (line[0] === 'touch') return touch(line);
  return DECODERS[oneOf(line[0], 'type of record', DECODERS)](line);
}

/** What the first line holds. @throws Malformed */
export function decodeHeader(line: unknown): Header {
  const found = object(line, 'the header');
  if (found.format !== FORMAT) throw bad("the header's format", `"${FORMAT}"`, found.format);
  if (found.version !== VERSION) throw bad('the version', `${VERSION}, which this package reads`, found.version);
  const settings = Object.entries(object(found.options, 'options'));
  const options = Object.fromEntries(settings.map(([name, value]) => [name, text(value, `option ${name}`)]));
  for (const name of Object.keys(found)) oneOf(name, "a header's field", HEADER_FIELDS);
  const pageSize = integer(found.pageSize, 'pageSize', 4096, 65536);
  return { type: 'header', format: FORMAT, version: VERSION, pageSize, source: text(found.source, 'source'), options };
}

const HEADER_FIELDS: Known<Exclude<keyof Header, 'type'>> = {
  format: true,
  version: true,
  pageSize: true,
  source: true,
  options: true,
};
