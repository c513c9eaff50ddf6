import {
  ContractViolation,
  type Folio,
  isOp,
  type Op,
  type Rmap,
  type RmapServices,
  type RmapStrategy,
  type Soon,
  type Vma,
} from '@rmap-lab/core';

/** V4: `strategy`, which once a folio has an owner may only give it to one below. */
export function downwards(strategy: RmapStrategy): RmapStrategy {
  return { ...strategy, create: (services) => watched(strategy.create(services), services) };
}

function watched(rmap: Rmap, { folios }: RmapServices): Rmap {
  const anchor = rmap.anchor.bind(rmap);
  function* watch(folio: Folio, work: Op<void>): Op<void> {
    const before = folios.anchor(folio);
    yield* work;
    check(folio, before);
  }
  function check(folio: Folio, before: number): void {
    const { edges } = rmap.inspect?.() ?? { edges: [] };
    const above = (id: string): string | undefined => edges.find(({ from, label }) => from === id && label === 'parent')?.to;
    let at: string | undefined = `cow_context:${folios.anchor(folio)}`;
    // The old owner may be gone by now: then it was not the parent of a living one.
    const known = rmap.inspect?.().nodes.some(({ id }) => id === `cow_context:${before}`);
    while (at !== undefined && at !== `cow_context:${before}`) at = above(at);
    if (known && at === undefined) throw new ContractViolation('V4', 'anchor', 'reuse', `folio ${folio} moved up or aside`);
  }
  rmap.anchor = (folio: Folio, vma: Vma, event): Soon<void> => {
    const work = anchor(folio, vma, event);
    return isOp(work) && event === 'reuse' ? watch(folio, work) : work;
  };
  return rmap;
}
