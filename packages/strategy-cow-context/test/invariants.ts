import { type Address, type Kernel, PAGE_SIZE, type PageInfo, type Process, type VmaInfo } from '@rmap-lab/core';
import { type ContextInfo, Graph } from './graph.js';

/** One mapping of an anonymous page that is not of KSM. */
interface Mapped {
  readonly process: Process;
  readonly vma: VmaInfo;
  readonly vpn: number;
  readonly page: PageInfo;
}

const deltaOf = ({ start, anonPgoff }: VmaInfo): number => start / PAGE_SIZE - anonPgoff;
const endOf = ({ start, end, anonPgoff }: VmaInfo): number => anonPgoff + (end - start) / PAGE_SIZE;
const fault = (broken: boolean, text: string): string[] => (broken ? [text] : []);

/** Invariants V1 to V3 and V5 to V9 (V4 is about changes, see `downwards.ts`); the first that doesn't hold between operations, or null. */
export function brokenInvariant(kernel: Kernel): string | null {
  const graph = new Graph(kernel);
  const spaces = [...new Map(kernel.processes.map((process) => [process.mm.id, process])).values()];
  const mapped = spaces.flatMap(mappingsOf);
  const broken = [
    ...ancestry(graph, mapped),
    ...spaces.flatMap((process) => records(graph, process)),
    ...mapped.flatMap(({ vma, vpn, page }) =>
      fault(
        (page.index ?? 0) + deltaOf(vma) !== vpn,
        `V3: page ${page.pfn} of index ${page.index} is at ${vpn} in a VMA with delta ${deltaOf(vma)}`,
      ),
    ),
    ...lifetime(kernel, graph, mapped),
    ...tree(graph),
    ...memory(kernel, graph),
    ...spaces.flatMap(bijection),
  ];
  return broken[0] ?? null;
}

function mappingsOf(process: Process): Mapped[] {
  const found: Mapped[] = [];
  for (const vma of process.vmas()) {
    for (let at: number = vma.start; at < vma.end; at += PAGE_SIZE) {
      const page = process.pageAt(at as Address);
      if (page.kind === 'anonymous' && !page.ksm) found.push({ process, vma, vpn: at / PAGE_SIZE, page });
    }
  }
  return found;
}

function ancestry(graph: Graph, mapped: readonly Mapped[]): string[] {
  return mapped.flatMap(({ process, vpn, page }) => {
    const owner = graph.ofAnchor(page.anchor ?? 0);
    const line = graph.lineage(graph.ofMm(process.mm.id));
    return fault(!line.includes(owner), `V1: page ${page.pfn} belongs to ${owner.id}, mm ${process.mm.id} maps it at ${vpn}`);
  });
}

/** V2 in its structural form, both ways: what needs a record has it, and there is no other. V8 follows. */
function records(graph: Graph, process: Process): string[] {
  const { remaps, id } = graph.ofMm(process.mm.id);
  const said = remaps.flatMap(({ first, end, deltas }) => deltas.map((delta) => [delta, first, end] as const));
  const needed = process
    .vmas()
    .flatMap((vma) => (vma.faulted && deltaOf(vma) !== 0 ? [[deltaOf(vma), vma.anonPgoff, endOf(vma)] as const] : []));
  return [
    ...fault(
      said.some(([delta]) => delta === 0),
      `V8: ${id} records delta 0`,
    ),
    ...fault(spread(said) !== spread(needed), `V2: ${id} records ${spread(said)}, mm ${process.mm.id} needs ${spread(needed)}`),
  ];
}

/** "delta:first-end" for each stretch of indexes, however it is cut. */
function spread(stretches: readonly (readonly [delta: number, first: number, end: number])[]): string {
  const joined: [number, number, number][] = [];
  for (const [delta, first, end] of [...stretches].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = joined.at(-1);
    if (last !== undefined && last[0] === delta && last[2] === first) last[2] = end;
    else joined.push([delta, first, end]);
  }
  return joined.map(([delta, first, end]) => `${delta}:${first}-${end}`).join(' ');
}

function lifetime(kernel: Kernel, graph: Graph, mapped: readonly Mapped[]): string[] {
  const folios = new Map<number, Set<number>>();
  for (const { process, vpn, page } of mapped) {
    const folio = process.folioAt((vpn * PAGE_SIZE) as Address) as number;
    folios.set(page.anchor ?? 0, (folios.get(page.anchor ?? 0) ?? new Set()).add(folio));
  }
  const { slab, migrations, ksm, swap } = kernel.stats();
  const known = ({ id, mm, children }: ContextInfo): number =>
    (mm === 0 ? 0 : 1) + children.length + (folios.get(Number(id.split(':')[1]))?.size ?? 0);
  const others = graph.contexts.reduce((sum, context) => sum + context.refs - known(context), 0);
  // A folio under migration is not mapped and pinned; one that only the swap cache knows is not mapped either.
  const unmapped = others - 2 * migrations - ksm.items;
  return [
    ...graph.contexts.flatMap((each) =>
      fault(each.refs < known(each), `V5: ${each.id} has ${each.refs} references, ${known(each)} are known`),
    ),
    ...fault(
      unmapped < 0 || unmapped > swap.cached,
      `V5: ${others} references are of nothing mapped; ${migrations} migrations, ${ksm.items} places of KSM, ${swap.cached} folios in the swap cache`,
    ),
    ...fault(slab.cow_context.live !== graph.contexts.length, 'V5: a context without references is allocated'),
  ];
}

/** Between operations records have the memory that they fill, and no more; above ten leaves of a tree there is one node. */
function memory(kernel: Kernel, { contexts }: Graph): string[] {
  const { cow_remap_node: nodes, cow_remap_deltas: chunks } = kernel.stats().slab;
  const sum = (of: (context: ContextInfo) => number): number => contexts.reduce((all, context) => all + of(context), 0);
  const leaves = sum(({ remaps }) => Math.ceil(remaps.length / 8));
  const used = sum(({ remaps }) => remaps.reduce((all, { deltas }) => all + chunksOf(deltas), 0));
  return [
    ...fault(
      nodes.live < leaves || nodes.live > leaves + Math.ceil(leaves / 9) + contexts.length,
      `memory: records fill ${leaves} leaves and have ${nodes.live} nodes`,
    ),
    ...fault(chunks.live !== used, `memory: arrays of deltas fill ${used} chunks and have ${chunks.live}`),
  ];
}

const chunksOf = ({ length }: readonly number[]): number => (length < 2 ? 0 : 2 ** Math.ceil(Math.log2(length / 2)));

/** V6, and V9: whoever is forked can be reached from above. */
const tree = (graph: Graph): string[] =>
  graph.contexts.flatMap((context) => {
    graph.lineage(context);
    const siblings = context.parent === null ? [] : graph.byId(context.parent).children.filter((each) => each === context.id);
    return [
      ...fault(
        context.parent !== null && siblings.length !== 1,
        `V9: ${context.id} is ${siblings.length} times a child of ${context.parent}`,
      ),
      ...fault(
        context.children.some((child) => graph.byId(child).parent !== context.id),
        `V6: a child of ${context.id} has another parent`,
      ),
    ];
  });

function bijection(process: Process): string[] {
  const faulted = process.vmas().filter((vma) => vma.faulted);
  return faulted.flatMap((a, i) =>
    faulted
      .slice(i + 1)
      .flatMap((b) =>
        fault(
          deltaOf(a) === deltaOf(b) && a.anonPgoff < endOf(b) && b.anonPgoff < endOf(a),
          `V7: VMAs ${a.id} and ${b.id} hold the same index at the same delta`,
        ),
      ),
  );
}
