import {
  ContractViolation,
  type Folio,
  isOp,
  type Op,
  type PteSpan,
  type Rmap,
  type RmapServices,
  type RmapStrategy,
  type Soon,
  type Vma,
} from '@rmap-lab/core';

/** Words of lazy folios. */
const LAZY = 2 ** 30;

/**
 * `strategy`, which may not make a regular folio lazy again, unless UFFDIO_MOVE takes it to another VMA (I4); and of which a fork links
 * the child before it copies an entry, and leaves no lazy folio among those that it copies (I6).
 */
export function oneWay(strategy: RmapStrategy, complain: Complain = refuse): RmapStrategy {
  return { ...strategy, create: (services) => watched(strategy.create(services), services, complain) };
}

type Complain = (rule: 'I4' | 'I6', why: string) => void;

const refuse: Complain = (rule, why) => {
  throw new ContractViolation(rule, 'the strategy', 'a change', why);
};

function watched(rmap: Rmap, { folios }: RmapServices, complain: Complain): Rmap {
  const linked = new WeakSet<Vma>();
  const fork = rmap.fork.bind(rmap);
  const mapping = rmap.mapping?.bind(rmap);
  const anchor = rmap.anchor.bind(rmap);
  const isLazy = (folio: Folio): boolean => folios.anchor(folio) > LAZY;
  function* linking(child: Vma, parent: Vma): Op<void> {
    const work = fork(child, parent);
    if (isOp(work)) yield* work;
    linked.add(child);
  }
  rmap.fork = linking;
  rmap.mapping = (span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): void => {
    mapping?.(span, why, from);
    if (why !== 'fork') return;
    from?.forEach((page, _at, present) => {
      if (!linked.has(span.vma)) complain('I6', `page ${page} is copied before the child is linked`);
      if (present && isLazy(folios.of(page))) complain('I6', `page ${page} is lazy in two address spaces`);
    });
  };
  rmap.anchor = (folio: Folio, vma: Vma, event): Soon<void> => {
    const wasRegular = event === 'reuse' && !isLazy(folio);
    const work = anchor(folio, vma, event);
    if (wasRegular && isLazy(folio)) complain('I4', `folio ${folio} turned lazy again`);
    return work;
  };
  return rmap;
}
