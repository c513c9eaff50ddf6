import { mutantsOf } from '../mutant.js';

/** The CoW context, broken where it shows with one operation at a time. */
export const cowContextMutants = mutantsOf('cow-context', 'sequential', [
  // Answers of the proof of concept.
  [
    'exclusive-ends',
    'a walk ends after a folio that looks exclusive was looked for at its place of birth',
    ['choices.ts', "  shortcut: 'allFound',", "  shortcut: 'exclusive',"],
  ],
  [
    'swapped-in-to-own',
    'a page read back from swap that others may share belongs to who reads it',
    ['choices.ts', "  sharedOwner: 'root',", "  sharedOwner: 'faulting',"],
  ],
  [
    'replaces-first',
    'a move writes the record of the new place over that of the old',
    ['choices.ts', "  remapPublish: 'addMoveDrop',", "  remapPublish: 'replaceFirst',"],
  ],
  [
    'overwrites-deltas',
    'a delta is written over the one that stands where it belongs',
    [
      'contexts.ts',
      "const insert = remapPublish === 'replaceFirst' ? insertOverwriting : insertSorted;",
      "const insert = remapPublish === 'replaceFirst' ? insertSorted : insertOverwriting;",
    ],
  ],

  // The tree of contexts.
  [
    'fork-unlinked',
    "a child's context is not linked to its parent's",
    ['strategy.ts', "    if (choices.linkChild === 'beforeCopy') yield* contexts.link(context, contexts.of(parent));\n", ''],
  ],
  [
    'copy-failure-swallowed',
    'a fork that runs out of memory half way is taken for done',
    ['strategy.ts', '    yield* copy();\n', '    try {\n      yield* copy();\n    } catch {}\n'],
  ],
  [
    'fork-uncounted',
    'a child holds no reference of its parent',
    ['contexts.ts', '    child.parent = parent;\n    parent.refs++;\n', '    child.parent = parent;\n'],
  ],
  [
    'exit-leaves-mm',
    'the context of a process that has gone still names its address space',
    ['strategy.ts', '    context.mm = null;\n', ''],
  ],
  [
    'exit-keeps-context',
    'the context of a process that has gone is kept',
    ['strategy.ts', '    memory.settle(context);\n    yield* contexts.put(context);', '    memory.settle(context);'],
  ],
  [
    'parent-kept',
    'the reference that a freed context had of its parent is not given back',
    ['contexts.ts', '    this.cache.freeRcu(context);\n    return parent;', '    this.cache.freeRcu(context);\n    return null;'],
  ],
  [
    'recycled-parent',
    'a context in used memory keeps the parent that it had there',
    ['contexts.ts', '    context.parent = null;\n    context.refs = 1;', '    context.refs = 1;'],
  ],
  [
    'sibling-unlinked-wrong',
    'a child that goes leaves the next one pointing back at it',
    ['contexts.ts', '  if (child.next !== null) child.next.prev = child.prev;\n', ''],
  ],
  [
    'taken-out-with-two',
    'a dead context with several children is taken out of the line with one of them',
    ['contexts.ts', ' && child !== null && child.next === null;', ' && child !== null;'],
    [
      'contexts.ts',
      'if (at.refs === 1 && at.mm === null && this.choices.compactDead)',
      'if (at.mm === null && this.choices.compactDead)',
    ],
    ['contexts.ts', 'dead.parent === parent && dead.refs === 1 &&', 'dead.parent === parent && dead.refs === 2 &&'],
  ],
  [
    'taken-out-still-parent',
    'the child of a context that was taken out of the line still names it as parent',
    ['contexts.ts', '      child.parent = parent;\n      dead', '      dead'],
  ],

  // Walks.
  [
    'walk-children-only',
    'a walk looks at the children of the owner, not below',
    [
      'traverse.ts',
      '  let next = yield* contexts.firstChild(at);\n  for (let from = at; next === null',
      '  let next = at === top ? yield* contexts.firstChild(at) : null;\n  for (let from = at; next === null',
    ],
  ],
  [
    'walk-sixteen',
    'a walk looks at sixteen contexts at most',
    ['walk.ts', '  if (context.mm === null) return true;\n', '  if (context.mm === null || search.contexts > 16) return true;\n'],
  ],
  [
    'walk-one-child',
    'a walk looks at the newest child of each context only',
    [
      'traverse.ts',
      '    next = yield* contexts.nextSibling(from);\n    yield* contexts.put(from);\n    from = parent;\n  }\n  return next;',
      '    yield* contexts.put(from);\n    from = parent;\n  }\n  return next;',
    ],
  ],
  [
    'walk-dead-ends',
    'a walk ends at a context whose process has gone',
    [
      'walk.ts',
      '  if (context.mm === null) return true;\n  if (!locked)',
      '  if (context.mm === null) return false;\n  if (!locked)',
    ],
  ],
  [
    'walk-born-only',
    'a walk looks where a folio was born only',
    ['walk.ts', '    for (const delta of records.deltasIn(first, last)) if (!(yield* this.at(mm, delta))) return false;\n', ''],
  ],
  [
    'walk-first-deltas',
    'of a large folio a walk knows the deltas of its first page only',
    ['walk.ts', 'records.deltasIn(first, last)', 'records.deltasIn(first, first)'],
  ],
  [
    'walk-any-delta',
    'a walk offers whatever lies at the addresses it looks at',
    ['walk.ts', 'vma.faulted && vma.delta === delta', 'vma.faulted || vma.delta === delta'],
  ],
  [
    'walk-all-of-it',
    'a walk looks at all VMAs of an address space',
    [
      'walk.ts',
      '    if (first === last) {',
      '    for (const vma of yield* mm.vmas.overlapping(0 as Address, TASK_SIZE as Address)) {\n      if (vma.start <= end || delta !== 0 || vma.delta !== 0 || !vma.faulted) continue;\n      this.candidates++;\n      const more = this.visitor.visit(vma, vma.start);\n      if (typeof more !== "boolean") yield* more;\n    }\n    if (first === last) {',
    ],
  ],
  [
    'walk-never-stops',
    'a walk goes on when its visitor has enough',
    [
      'walk.ts',
      "    return typeof more === 'boolean' ? more : yield* more;",
      "    if (typeof more !== 'boolean') yield* more;\n    return true;",
    ],
  ],
  [
    'walk-ends-early',
    'a walk ends when one mapping less was found than there are',
    ['walk.ts', 'this.visitor.found === mappings &&', 'this.visitor.found >= mappings - 1 &&'],
  ],
  [
    'walk-last-page-out',
    'the range that a walk looks up ends before the last page',
    ['walk.ts', '(last + delta + 1) * PAGE_SIZE', '(Math.max(first + 1, last) + delta) * PAGE_SIZE'],
  ],

  // Records.
  [
    'fork-unrecorded',
    'a fork records nothing of moved memory',
    ['remaps.ts', '    if (child.delta !== 0) return this.record(child);\n', '    void child;\n'],
  ],
  [
    'move-unrecorded',
    'a move records nothing where it merges',
    [
      'remaps.ts',
      "if (why !== 'split' && to.delta !== 0) return this.record(to);",
      "if (why === 'move' && !to.attached && to.delta !== 0) return this.record(to);",
    ],
    ['remaps.ts', '    this.rewrite(context, needed, old);\n', '    this.rewrite(context, old, []);\n'],
  ],
  [
    'first-fault-unrecorded',
    'a first fault records nothing of memory that is not where it was born',
    ['remaps.ts', '    if (vma.delta !== 0 && !this.fields.of(vma).recorded) return this.record(vma);\n', '    void vma;\n'],
  ],
  [
    'split-drops-all',
    'a change of ranges drops the whole record of before',
    [
      'remaps.ts',
      '      records.drop(first, from, delta);\n      records.drop(to, end, delta);',
      '      records.drop(first, end, delta);\n      void from;\n      void to;',
    ],
  ],
  [
    'new-half-unmarked',
    'the new half of a split does not know that it is recorded',
    ['remaps.ts', '= delta !== 0;\n    });', '= delta !== 0 && vmas[i] !== inserted;\n    });'],
  ],
  [
    'kept-source-recorded',
    'the source that MREMAP_DONTUNMAP keeps also keeps its record',
    [
      'remaps.ts',
      '    if (fields.recorded) {\n      const claim',
      '    if (fields.recorded && !vma.attached) {\n      const claim',
    ],
  ],
  [
    'insert-unclaimed',
    'a split records nothing of the new half',
    ['remaps.ts', '      claims.push(ownClaim(inserted));\n      vmas.push(inserted);\n', '      void ownClaim(inserted);\n'],
  ],
  [
    'unlink-drops-overlapping',
    'an unlinked VMA takes records with it that reach beyond it',
    [
      'remaps.ts',
      '      context.records.drop(claim.first, claim.end, claim.delta);',
      '      context.records.drop(claim.first - 1, claim.end + 1, claim.delta, true);',
    ],
  ],
  [
    'cut-shares-deltas',
    'the two halves of a cut record share their deltas',
    [
      'records.ts',
      '{ first: at, end: range.end, deltas: range.deltas.slice() }',
      '{ first: at, end: range.end, deltas: range.deltas }',
    ],
  ],
  [
    'deltas-of-first-range',
    'of several records in a range only the first is told',
    [
      'records.ts',
      'i < this.ranges.length && this.ranges[i].first <= last; i++) {\n      for (const delta of',
      'i < at; i++) {\n      for (const delta of',
    ],
  ],

  // Folios.
  [
    'anchor-uncounted',
    'a folio holds no reference of its owner',
    [
      'strategy.ts',
      '      own.refs++;\n      this.services.folios.setAnchor(folio, own.ref);',
      '      this.services.folios.setAnchor(folio, own.ref);',
    ],
  ],
  [
    'transfer-uncounted',
    'what takes the place of a folio holds no reference of its owner',
    ['strategy.ts', '    owner.refs++;\n    this.services.folios.setAnchor(to', '    this.services.folios.setAnchor(to'],
  ],
  [
    'drop-forgets',
    'a folio that is given up keeps its reference',
    [
      'strategy.ts',
      '    if (owner.refs > 2) owner.refs--;\n    else return this.state.contexts.put(owner);',
      '    if (owner.refs < 0) return this.state.contexts.put(owner);',
    ],
  ],
  [
    'reuse-keeps-reference',
    'a folio that goes to another owner keeps the reference of the former',
    ['owner.ts', '  yield* state.contexts.put(old);\n', ''],
  ],
]);
