import type { CallName } from '../format.js';
import { CALLS } from '../format.js';
import type { FileTable } from './files.js';
import { symbols } from './symbols.js';

/** An argument; a path that `-y` shows may have commas in it. */
const ARGUMENT = /(?:<[^<>]*>|[^,])+/g;
/** A descriptor and, with `-y`, what it names; paths begin with a slash, `pipe:[7]` and the like don't. */
const DESCRIPTOR = /^(-?\d+)(?:<(.*)>(?:\(deleted\))?)?$/;

const split = (text: string): readonly string[] => (text.match(ARGUMENT) ?? []).map((argument) => argument.trim());

/** The arguments of a call as a record holds them. @throws SyntaxError for a symbol that is not known */
export function callArguments(call: CallName, text: string, files: FileTable): readonly number[] {
  const parts = split(text);
  if (call === 'mmap') {
    const [address, length, prot, flags, fd, offset] = parts;
    return [...[address, length, prot, flags].map(symbols), mappedFile(fd, files), symbols(offset)];
  }
  return CALLS[call].map((_name, i) => (parts[i] === undefined ? 0 : symbols(parts[i])));
}

/** What a call about descriptors has in common with the recorder's: their numbers. */
export function descriptors(text: string): readonly number[] {
  return split(text).map((part) => Number(DESCRIPTOR.exec(part)?.[1] ?? Number.NaN));
}

function mappedFile(text: string, files: FileTable): number {
  const [, number, path] = DESCRIPTOR.exec(text) ?? [];
  if (number === undefined) throw new SyntaxError(`'${text}' is no descriptor`);
  if (path?.startsWith('/')) return files.ofPath(path);
  return Number(number) < 0 ? -1 : files.ofDescriptor(Number(number));
}
