import {
  type Address,
  KiB,
  MAP_ANONYMOUS,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  type Process,
} from '@rmap-lab/core';
import type { ExecRecord, LayoutEntry } from '../format.js';
import { hex, Mismatch } from './mismatch.js';
import type { World } from './world.js';

/** How far the kernel lets a new stack reach below the arguments. */
const STACK_EXPAND = 128 * KiB;
const STACK_PROT = PROT_READ | PROT_WRITE;

/** Gives a process the address space that exec(2) left behind when the trace was recorded. @throws Mismatch, KernelError */
export function replayExec(world: World, record: ExecRecord): void {
  const process = world.process(record.process);
  const stack = record.layout.find(({ kind }) => kind === 'stack');
  const heap = record.layout.find(({ kind }) => kind === 'heap');
  const startBrk = heap?.start ?? record.brk;
  process.exec({ ...(stack && stackRequest(stack)), ...(startBrk !== null && { startBrk: startBrk as Address }) });
  for (const entry of record.layout) {
    if (entry.kind === 'stack') checkStack(process, entry);
    else if (entry.kind === 'heap') growHeap(process, record.brk ?? entry.end);
    else mapEntry(world, process, entry);
  }
}

/** The exec that leaves this stack: one page of arguments, or as many as don't fit the usual room below them. */
function stackRequest({ start, end }: LayoutEntry): { stackTop: Address; argumentPages: number; stackExpand: number } {
  const argumentPages = Math.max(1, (end - start - STACK_EXPAND) / PAGE_SIZE);
  return { stackTop: end as Address, argumentPages, stackExpand: end - start - argumentPages * PAGE_SIZE };
}

function checkStack(process: Process, { start, end, prot }: LayoutEntry): void {
  const stack = process.vmas().find((vma) => vma.end === end);
  if (stack?.start !== start) throw new Mismatch(`the stack ${hex(start)}-${hex(end)} could not be made so large`);
  if (prot !== STACK_PROT) process.mprotect(start as Address, end - start, prot);
}

function growHeap(process: Process, brk: number): void {
  const end = process.brk(brk as Address);
  if (end !== brk) throw new Mismatch(`the heap ends at ${hex(end)} after exec, not at ${hex(brk)} as recorded`);
}

/** The kernel's own pages (vdso, vvar) become private mappings of a file that nothing else maps. */
function mapEntry(world: World, process: Process, { start, end, prot, shared, kind, file, offset }: LayoutEntry): void {
  const sharing = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED_NOREPLACE;
  const mapped = kind === 'special' ? world.kernel.file('special') : file === null ? undefined : world.file(file);
  process.mmap(end - start, {
    at: start as Address,
    prot,
    flags: mapped === undefined ? sharing | MAP_ANONYMOUS : sharing,
    file: mapped,
    offset: mapped === undefined ? 0 : offset,
  });
}
