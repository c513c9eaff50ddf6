import { type Address, type Kernel, type ObjectGraph, PAGE_SIZE } from '@rmap-lab/core';

const fault = (broken: boolean, text: string): string[] => (broken ? [text] : []);

/**
 * What looks at one machine after each operation: I1 to I3, I5, I7 and I8; the first that doesn't hold, or null. I4 and I6 are about
 * changes, see `one-way.ts`; I9 is `verify`.
 */
export function invariants(): (kernel: Kernel) => string | null {
  const bases = new Map<string, number>();
  return (kernel) => brokenInvariant(kernel, bases);
}

/** `bases` remembers the base of every root seen, by VMA id: I3. */
function brokenInvariant(kernel: Kernel, bases: Map<string, number>): string | null {
  const { nodes, edges } = kernel.inspect();
  const roots = new Map(
    nodes.filter(({ type }) => type === 'root').map(({ id, fields }) => [Number(fields.anchor), { id, fields }]),
  );
  const broken: string[] = [];
  for (const { id, fields } of roots.values()) {
    const members = edges.filter(({ to, label }) => to === id && label === 'root').length;
    broken.push(
      ...fault(Number(fields.members) !== members, `I8: ${id} counts ${fields.members} members and has ${members}`),
      ...fault(
        bases.has(id) && bases.get(id) !== Number(fields.base),
        `I3: the base of ${id} was ${bases.get(id)} and is ${fields.base}`,
      ),
    );
    bases.set(id, Number(fields.base));
  }
  const linked = chainsOf(edges);
  const spaces = new Map<number, Set<number>>();
  for (const process of kernel.processes) {
    for (const vma of process.vmas()) {
      for (let at: number = vma.start; at < vma.end; at += PAGE_SIZE) {
        const page = process.pageAt(at as Address);
        if (page.kind !== 'anonymous' || page.ksm) continue;
        const anchor = page.anchor as number;
        const root = roots.get(anchor);
        const where = `page ${page.pfn} at ${at / PAGE_SIZE} of mm ${process.mm.id}`;
        if (anchor < 2 ** 30) {
          const chain = linked.get(`vma:${vma.id}`) ?? [];
          broken.push(
            ...fault(
              !chain.includes(`anon_vma:${anchor}`),
              `I7: ${where} belongs to anon_vma:${anchor}, its VMA is linked to ${chain}`,
            ),
          );
          continue;
        }
        if (root === undefined) {
          broken.push(`I2: ${where} points at a root without members`);
          continue;
        }
        const { mm, base } = root.fields;
        spaces.set(page.pfn as number, (spaces.get(page.pfn as number) ?? new Set()).add(process.mm.id));
        broken.push(
          ...fault(
            Number(mm) !== process.mm.id || Number(base) + (page.index as number) !== at / PAGE_SIZE,
            `I1: ${where} of index ${page.index} points at ${root.id} of mm ${mm} and base ${base}`,
          ),
        );
      }
    }
  }
  const shared = [...spaces].flatMap(([page, mms]) =>
    fault(mms.size > 1, `I5: page ${page} is lazy and mapped in mm ${[...mms]}`),
  );
  return shared[0] ?? broken[0] ?? null;
}

/** The anon_vmas that each VMA is linked to. */
function chainsOf(edges: ObjectGraph['edges']): Map<string, string[]> {
  const named = new Map(edges.filter(({ label }) => label === 'anon_vma').map(({ from, to }) => [from, to]));
  const found = new Map<string, string[]>();
  for (const { from, to, label } of edges) {
    if (label !== 'chain') continue;
    found.set(from, [...(found.get(from) ?? []), named.get(to) ?? '']);
  }
  return found;
}
