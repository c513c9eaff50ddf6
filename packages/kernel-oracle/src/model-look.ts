import { type Address, type ObjectGraph, PAGE_SIZE, type Process, pageOf, type VmaInfo } from '@rmap-lab/core';
import { HEAP_PAGE, Look, RECORDS, VISIBLE_FLAGS } from './records.js';

/** First byte of the arena, where programs live (ARENA_LO in native/mailbox.h). */
export const ARENA = 0x100000000000;

/** An anon_vma as records show it; its relatives by their id in the graph. */
interface AnonVma {
  readonly refcount: number;
  readonly numChildren: number;
  readonly numActiveVmas: number;
  root: string;
  parent: string;
}

/** The strategy's graph by the objects that records ask for. */
class Graph {
  readonly anonVmas = new Map<string, AnonVma>();
  /** By VMA. */
  readonly active = new Map<string, string>();
  /** The anon_vmas that a VMA's links lead to, newest link first. */
  readonly chains = new Map<string, string[]>();

  constructor({ nodes, edges }: ObjectGraph) {
    const leadsTo = new Map<string, string>();
    for (const { id, type, fields } of nodes) {
      if (type !== 'anon_vma') continue;
      const { refcount, numChildren, numActiveVmas } = fields as Record<string, number>;
      this.anonVmas.set(id, { refcount, numChildren, numActiveVmas, root: id, parent: id });
    }
    for (const { from, to, label } of edges) {
      const anonVma = this.anonVmas.get(from);
      if (label === 'root' && anonVma !== undefined) anonVma.root = to;
      else if (label === 'parent' && anonVma !== undefined) anonVma.parent = to;
      else if (label === 'anon_vma' && from.startsWith('vma:')) this.active.set(from, to);
      else if (label === 'anon_vma') leadsTo.set(from, to);
    }
    for (const { from, to, label } of edges) {
      if (label !== 'chain') continue;
      const chain = this.chains.get(from);
      if (chain === undefined) this.chains.set(from, [leadsTo.get(to) as string]);
      else chain.push(leadsTo.get(to) as string);
    }
  }
}

/** Looks at live processes in this order; `heap` is where their heaps begin. Without a graph an anon_vma is only there or not. */
export function lookAtModel(processes: readonly Process[], graph: ObjectGraph | null, heap: Address, keep: boolean): Look {
  const look = new Look(keep);
  const indexed = graph && new Graph(graph);
  processes.forEach((process, i) => {
    look.emit(RECORDS.process.type, i);
    const vmas = process.vmas();
    // In a real process the heap lies below the arena.
    for (const vma of vmas) if (vma.start >= heap) lookAtVma(look, indexed, process, vma, pageOf(heap) - HEAP_PAGE);
    for (const vma of vmas) if (vma.start < heap) lookAtVma(look, indexed, process, vma, ARENA / PAGE_SIZE);
  });
  return look;
}

function lookAtVma(look: Look, graph: Graph | null, process: Process, vma: VmaInfo, base: number): void {
  const { start, end, flags, pgoff, faulted, file } = vma;
  const id = `vma:${vma.id}`;
  const indexBase = file === null ? base : 0;
  const [first, last] = [pageOf(start) - base, pageOf(end) - base];
  const active = look.name((graph === null ? faulted && 'faulted' : graph.active.get(id)) || null);
  look.emit(RECORDS.vma.type, first, last, flags & VISIBLE_FLAGS, pgoff - indexBase, active, file === null ? 0 : 1);
  if (graph !== null) lookAtChain(look, graph, id);
  for (let at = process.nextPage(start, end); at < end; at = process.nextPage((at + PAGE_SIZE) as Address, end))
    lookAtPage(look, process, at, pageOf(at) - base, indexBase);
}

function lookAtChain(look: Look, { chains, anonVmas }: Graph, vma: string): void {
  for (const id of chains.get(vma) ?? []) {
    const { root, parent, refcount, numChildren, numActiveVmas } = anonVmas.get(id) as AnonVma;
    look.emit(RECORDS.link.type, look.name(id), look.name(root), look.name(parent), refcount, numChildren, numActiveVmas);
  }
}

function lookAtPage(look: Look, process: Process, at: Address, page: number, indexBase: number): void {
  const info = process.pageAt(at);
  if (info.kind === 'none' || info.kind === 'file') return;
  if (info.kind === 'zero') look.emit(RECORDS.zero.type, page);
  else if (info.kind === 'guard') look.emit(RECORDS.guard.type, page);
  else if (info.kind !== 'anonymous') look.emit(RECORDS.swap.type, page, look.name(`swap:${info.swapSlot}`));
  else if (info.ksm) look.emit(RECORDS.ksm.type, page, look.name(info.pfn), info.mapcount);
  else {
    const { pfn, mapcount, exclusive, anchor, index, order, entireMapcount } = info;
    const head = (pfn as number) - ((pfn as number) % 2 ** order);
    const folio = look.name(head);
    const anonVma = look.name(`anon_vma:${anchor}`);
    const sub = (pfn as number) - head;
    const offset = (index as number) - indexBase;
    look.emit(RECORDS.anon.type, page, folio, sub, mapcount, exclusive ? 1 : 0, anonVma, offset, order, entireMapcount);
  }
}
