import { constants } from 'node:os';
import * as f from '@rmap-lab/core';
import { type Address, type Operation, PAGE_SIZE, type Process } from '@rmap-lab/core';
import { ARENA } from './model-look.js';

/** Numbers of system calls on x86-64. */
export const NR = { mmap: 9, mprotect: 10, munmap: 11, mremap: 25, madvise: 28, mlock: 149, munlock: 150 } as const;
/** Descriptor of the one file that programs map (FILE_FD in native/mailbox.h). */
const FILE = 4;
/** Complete passes after which ksmd has merged whatever it will: the first may be under way, and a page must be seen twice. */
const KSM_PASSES = 3;

/** Kinds of operations that can be asked of a real kernel. */
const COMPARED_KINDS = [
  'mmap',
  'munmap',
  'mlock',
  'munlock',
  'mprotect',
  'madvise',
  'mremap',
  'brk',
  'read',
  'write',
  'fill',
  'fork',
  'thread',
  'exec',
  'exit',
  'uffdMove',
  'ksmScan',
  'ksmUnmerge',
  'swapOff',
] as const satisfies readonly Operation['op'][];

/** Whether a real kernel can be asked to do it. */
export const isCompared = ({ op }: Operation): boolean => (COMPARED_KINDS as readonly string[]).includes(op);

const address = (page: number): string => `0x${(ARENA + page * PAGE_SIZE).toString(16)}`;
const bytes = (pages: number): number => pages * PAGE_SIZE;

/** Turns the operations of one program into commands of the driver; knows which process has which slot. */
export class Commands {
  /** Slots of the live processes, oldest first. */
  readonly slots = [1];
  private nextSlot = 2;
  private readonly free: number[] = [];
  private words = 0;

  constructor(private readonly swapDevice: string | null) {}

  /** The commands for `operation`, which `process` is about to do; the answer of the last one is the result. None: nothing happens. */
  commands(operation: Operation, process: Process): readonly string[] {
    if (operation.op === 'swapOff') return this.swapDevice === null ? [] : [`- ${this.swapDevice}`, `+ ${this.swapDevice}`];
    const command = this.command(operation, process);
    return command === null ? [] : [command];
  }

  private command(operation: Operation, process: Process): string | null {
    const place = operation.process % this.slots.length;
    const slot = this.slots[place];
    const o = operation;
    switch (o.op) {
      case 'mmap':
        return `s ${slot} ${NR.mmap} ${address(o.at)} ${bytes(o.pages)} ${o.prot} ${mmapTail(o)}`;
      case 'munmap':
      case 'mlock':
      case 'munlock':
        return `s ${slot} ${NR[o.op]} ${address(o.at)} ${bytes(o.pages)}`;
      case 'mprotect':
        return `s ${slot} ${NR.mprotect} ${address(o.at)} ${bytes(o.pages)} ${o.prot}`;
      case 'madvise':
        return `s ${slot} ${NR.madvise} ${address(o.at)} ${bytes(o.pages)} ${o.advice}`;
      case 'mremap': {
        const flags = o.to === null ? 0 : f.MREMAP_MAYMOVE | f.MREMAP_FIXED | (o.dontUnmap ? f.MREMAP_DONTUNMAP : 0);
        const to = o.to === null ? 0 : address(o.to);
        return `s ${slot} ${NR.mremap} ${address(o.at)} ${bytes(o.pages)} ${bytes(o.newPages)} ${flags} ${to}`;
      }
      case 'brk':
        return `b ${slot} ${o.pages}`;
      case 'read':
        return `r ${slot} ${address(o.at)}`;
      case 'write':
        return `w ${slot} ${address(o.at)} ${++this.words}`;
      case 'fill':
        return `w ${slot} ${address(o.at)} 0x80000000${o.pattern.toString(16).padStart(8, '0')}`;
      case 'fork':
      case 'thread':
        return `${o.op === 'fork' ? 'f' : 't'} ${slot} ${this.adopt()}`;
      case 'exec':
        return `e ${slot}`;
      case 'exit':
        if (this.slots.length === 1) return null;
        this.slots.splice(place, 1);
        this.free.push(slot);
        return `x ${slot}`;
      case 'uffdMove': {
        const [start, end] = vmaAround(process, (ARENA + o.to * PAGE_SIZE) as Address);
        return `u ${slot} ${address(o.to)} ${address(o.from)} ${bytes(o.pages)} ${start} ${end}`;
      }
      case 'ksmScan':
        return `k ${KSM_PASSES}`;
      case 'ksmUnmerge':
        return 'm';
      default:
        throw new RangeError(`a real kernel can't be asked for '${o.op}'`);
    }
  }

  private adopt(): number {
    const slot = this.free.shift() ?? this.nextSlot++;
    this.slots.push(slot);
    return slot;
  }
}

function mmapTail({ memory, flags, offset }: Extract<Operation, { op: 'mmap' }>): string {
  const shared = memory === 'shared' || memory === 'file-shared';
  const file = memory.startsWith('file');
  const bits = f.MAP_FIXED | flags | (shared ? f.MAP_SHARED : f.MAP_PRIVATE) | (file ? 0 : f.MAP_ANONYMOUS);
  return `${bits} ${file ? FILE : -1} ${file ? bytes(offset) : 0}`;
}

/** What a userfaultfd is registered for: the whole VMA, so that nothing is split. [0, 0]: there is none. */
function vmaAround(process: Process, at: Address): readonly [number, number] {
  const vma = process.vmas().find(({ start, end }) => start <= at && at < end);
  return vma === undefined ? [0, 0] : [vma.start, vma.end];
}

/** Of two names of one number the kernel's own: EAGAIN, not EWOULDBLOCK. */
const ERRNO = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK')
    .map(([name, number]) => [number, name]),
);
const DIED = -9999;

/** What the driver answered, as {@link ProgramRun.apply} says it: 'ok', the errno, or the signal. */
export function resultOf({ op }: Operation, answer: string): string {
  const n = Number(answer);
  if (n === 0) return 'ok';
  if (n === DIED) return 'died';
  if (op === 'read' || op === 'write' || op === 'fill') return n === -11 ? 'SIGSEGV' : n === -7 ? 'SIGBUS' : `signal ${-n}`;
  return ERRNO.get(-n) ?? `errno ${-n}`;
}
