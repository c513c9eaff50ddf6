import { mutantsOf } from '../mutant.js';

/** The classic design, broken where it shows with one operation at a time. */
export const anonVmaMutants = mutantsOf('anon-vma', 'sequential', [
  // What the strategy says of itself.
  [
    'half-a-byte',
    'half a byte is added to each VMA',
    ['strategy.ts', 'bytes: { vma: 0, mm: 0, folio: 0 }', 'bytes: { vma: 0.5, mm: 0, folio: 0 }'],
  ],
  [
    'lock-declared-twice',
    'a class of locks is declared twice',
    [
      'strategy.ts',
      "{ name: 'anon_vma', slot: 'above-ptl', kind: 'rwsem' },",
      "{ name: 'anon_vma', slot: 'above-ptl', kind: 'rwsem' },\n      { name: 'anon_vma', slot: 'above-ptl', kind: 'rwsem' },",
    ],
  ],
  [
    'counts-go-on',
    'candidates are counted on from one machine to the next',
    ['walk.ts', 'let candidates = 0;', 'candidates = 0;'],
    ['walk.ts', "services.count('candidate', candidates);", "services.count('candidate', (ever += candidates));"],
    ['walk.ts', '/** Offers every VMA linked', 'let ever = 0;\nlet candidates = 0;\n/** Offers every VMA linked'],
  ],
  ['inspect-counts', 'looking at the objects is counted like a walk', ['inspect.ts', '    anonVma.visited = visited;\n', '']],
  [
    'inspect-hides-links',
    'only the newest link of each VMA is shown, but edges lead to all',
    [
      'inspect.ts',
      "      nodes.push({ id: nameLink(link), type: 'anon_vma_chain', fields: { first, last } });",
      "      if (link.newer === null) nodes.push({ id: nameLink(link), type: 'anon_vma_chain', fields: { first, last } });",
    ],
  ],
  [
    'merge-question-counted',
    'being asked whether two VMAs may merge is counted as a candidate',
    [
      'strategy.ts',
      '    const { vmas } = this.state;\n',
      "    const { vmas } = this.state;\n    this.services.count('candidate');\n",
    ],
  ],
  [
    'reach-question-counted',
    'being asked whether a walk reaches a VMA is counted as a candidate',
    [
      'strategy.ts',
      '    const { folios, rcu } = this.services;\n',
      "    const { folios, rcu } = this.services;\n    this.services.count('candidate');\n",
    ],
  ],

  // Walks.
  [
    'walk-never-stops',
    'a walk goes on when its visitor has enough',
    ['walk.ts', "if (!(typeof more === 'boolean' ? more : yield* more)) break;", "if (typeof more !== 'boolean') yield* more;"],
  ],
  [
    'walk-offers-twice',
    'a walk offers each VMA twice',
    [
      'walk.ts',
      '      const more = visitor',
      '      const once = visitor.visit(link.vma, services.addressIn(link.vma, first, last) as Address);\n      if (typeof once !== "boolean") yield* once;\n      const more = visitor',
    ],
  ],
  [
    'walk-address-unclipped',
    'of a folio that a VMA holds only the rest of, a walk gives the address where it would begin',
    [
      'walk.ts',
      'services.addressIn(link.vma, first, last) as Address',
      '(link.vma.start + (first - link.vma.anonPgoff) * 4096) as Address',
    ],
  ],
  [
    'large-from-start',
    'of a large folio a walk gives the address where each VMA begins',
    [
      'walk.ts',
      'services.addressIn(link.vma, first, last) as Address',
      '(last > first && last - first < 512 ? link.vma.start : services.addressIn(link.vma, first, last)) as Address',
    ],
  ],
  [
    'pinned-first-page',
    'a walk under a pin looks for the first page of a large folio only',
    [
      'walk.ts',
      'for (let link = anonVma.first(first, last); link !== null; link = anonVma.next(link, first, last)) {',
      'const end = isPin(hold) && last - first < 512 ? first : last;\n    for (let link = anonVma.first(first, end); link !== null; link = anonVma.next(link, first, end)) {',
    ],
  ],
  ['walk-first-only', 'a walk offers the first VMA only', ['walk.ts', 'link = anonVma.next(link, first, last)', 'link = null']],

  // Holds.
  [
    'unmapped-held',
    'a folio that nothing maps is held all the same',
    [
      'lock.ts',
      '    if (!isAnonVma(anchor) || !(yield* folios.mapped(folio))) {\n      rcu.readUnlock();\n      return GONE;',
      '    if (!isAnonVma(anchor)) {\n      rcu.readUnlock();\n      return GONE;',
    ],
    ['lock.ts', 'const valid = same && (yield* folios.mapped(folio));', 'const valid = same;'],
  ],
  [
    'busy-at-once',
    'told not to wait, a hold is always busy',
    ['lock.ts', "if (!wait) return yield* tryHold(state, folio, mode === 'pin' ? PIN : WRITE);", 'if (!wait) return BUSY;'],
  ],
  [
    'write-gone',
    'who may wait for a write hold is told that nothing maps the folio',
    [
      'lock.ts',
      '  const anonVma = yield* getAnonVma(state, folio);\n  if (anonVma === null) return GONE;\n  if (mode',
      "  const anonVma = mode === 'write' ? null : yield* getAnonVma(state, folio);\n  if (anonVma === null) return GONE;\n  if (mode",
    ],
  ],
  [
    'large-busy',
    'a write hold of a large folio is always busy',
    [
      'lock.ts',
      "  if (!wait) return yield* tryHold(state, folio, mode === 'pin' ? PIN : WRITE);\n",
      "  if (mode === 'write' && state.services.folios.pages(folio) > 1) return BUSY;\n  if (!wait) return yield* tryHold(state, folio, mode === 'pin' ? PIN : WRITE);\n",
    ],
  ],
  [
    'tried-pin-uncounted',
    'a hold that did not wait takes no reference, but gives one back',
    ['lock.ts', '    if (valid && mode !== READ) anonVma.refcount++;\n', ''],
  ],
  [
    'pin-counted-twice',
    'a hold takes two references and gives back one',
    ['anon-vma.ts', '    anonVma.refcount++;\n    return true;', '    anonVma.refcount += 2;\n    return true;'],
  ],
  [
    'pin-lost',
    'a pin that ends is not given back',
    [
      'lock.ts',
      '  if (mode === WRITE) anonVma.root.rwsem.writeUnlock();\n',
      '  if (mode === PIN) return;\n  anonVma.root.rwsem.writeUnlock();\n',
    ],
  ],

  // Changes of ranges, moves.
  [
    'adjust-twice',
    'a change of ranges is applied twice',
    ['adjust.ts', '  yield* apply();', '  yield* apply();\n  yield* apply();'],
  ],
  [
    'adjust-keys-one',
    'where several VMAs change, only one is keyed anew',
    [
      'adjust.ts',
      'for (const { vma } of changes) state.vmas.of(vma).keyAll();',
      'for (const { vma } of changes.slice(0, 1)) state.vmas.of(vma).keyAll();',
    ],
    [
      'adjust.ts',
      'for (const { vma } of changes) state.vmas.of(vma).unkeyAll();',
      'for (const { vma } of changes.slice(0, 1)) state.vmas.of(vma).unkeyAll();',
    ],
  ],
  [
    'adjust-keys-before',
    'links are keyed by the range that a VMA had before the change',
    [
      'adjust.ts',
      '  yield* apply();\n  for (const { vma } of changes) state.vmas.of(vma).keyAll();',
      '  for (const { vma } of changes) state.vmas.of(vma).keyAll();\n  yield* apply();',
    ],
  ],
  [
    'key-one-short',
    'the last page of a VMA lies outside its interval',
    ['anon-vma-chain.ts', 'pageOf(vma.start) - 1)', 'pageOf(vma.start) - 2)'],
  ],
  [
    'key-one-late',
    'the first page of a VMA lies outside its interval',
    ['anon-vma-chain.ts', 'link.first = vma.anonPgoff;', 'link.first = vma.anonPgoff + 1;'],
  ],
  [
    'move-one-table',
    'a move ends after one page table',
    ['move.ts', '  while (yield* moving.next()) {', '  if (yield* moving.next()) {'],
  ],
  [
    'move-two-tables',
    'a move prepares two page tables at once and moves the second',
    [
      'move.ts',
      '    yield* moving.step();\n',
      "    if (moving.why === 'mremap') yield* moving.next();\n    yield* moving.step();\n",
    ],
  ],
  [
    'move-failure-swallowed',
    'a move that runs out of memory half way is taken for done',
    ['move.ts', '  while (yield* moving.next()) {', '  while (yield* more(moving)) {'],
    [
      'move.ts',
      '/** A whole table changes',
      'function* more(moving: PageTableMove): Op<boolean> {\n  try {\n    return yield* moving.next();\n  } catch {\n    return false;\n  }\n}\n\n/** A whole table changes',
    ],
  ],
  [
    'rollback-skipped',
    'a move that ran out of memory is not undone',
    ['move.ts', '  while (yield* moving.next()) {', "  while (moving.why !== 'rollback' && (yield* moving.next())) {"],
  ],
  [
    'exec-stack-stays',
    'the stack that exec shifts does not move',
    ['move.ts', '  while (yield* moving.next()) {', "  while (moving.why !== 'exec-stack' && (yield* moving.next())) {"],
  ],

  // The tree.
  [
    'tree-insert-forgets-above',
    'an insertion does not tell the nodes above how far they reach now',
    [
      'interval-tree.ts',
      '    else parent.right = node;\n    this.repair(parent);',
      '    else parent.right = node;\n    refresh(node);',
    ],
  ],
  [
    'tree-remove-forgets-above',
    'the node that takes the place of a removed one keeps the reach that it had below',
    [
      'interval-tree.ts',
      '    heir.height = node.height;\n    heir.subtreeLast = node.subtreeLast;\n    this.repair(lowest);\n    this.repair(heir);',
      '    this.repair(lowest === heir ? null : lowest);',
    ],
  ],
  [
    'tree-next-misses-edges',
    'going on, a walk misses an interval that ends exactly where the query begins',
    [
      'interval-tree.ts',
      '      this.visited++;\n      if (at.first > last) return null;\n      if (at.last >= first) return at;',
      '      this.visited++;\n      if (at.first > last) return null;\n      if (at.last > first) return at;',
    ],
  ],
  [
    'tree-first-misses-edges',
    'a walk does not begin where all intervals end exactly where the query begins',
    ['interval-tree.ts', 'top.subtreeLast < first ? null', 'top.subtreeLast <= first ? null'],
  ],
  [
    'tree-skips-right',
    'a walk does not look to the right of where it begins',
    [
      'interval-tree.ts',
      'if (right !== null && right.subtreeLast >= first) return this.firstBelow(right, first, last);',
      'if (right !== null && right.subtreeLast > last) return this.firstBelow(right, first, last);',
    ],
  ],
  [
    'tree-rotation-stale',
    'a rotation does not recompute the reach of the node that goes down',
    [
      'interval-tree.ts',
      '    setLeft(top, pivot.right);\n    setRight(pivot, top);\n    refresh(top);',
      '    setLeft(top, pivot.right);\n    setRight(pivot, top);\n    top.height = 1 + Math.max(heightOf(top.left), heightOf(top.right));\n    top.subtreeLast = top.last;',
    ],
  ],

  // First faults.
  [
    'prepared-again',
    'a VMA that is prepared is prepared once more, and linked twice',
    [
      'strategy.ts',
      'if (this.state.vmas.of(vma).anonVma === null) return prepare(this.state, vma);',
      'return prepare(this.state, vma);',
    ],
    ['prepare.ts', 'const late = fields.anonVma !== null;', 'const late = fields.links > 1;'],
  ],
  [
    'prepare-leaks-link',
    'a first fault that gets no anon_vma keeps the link',
    ['prepare.ts', '    chains.free(link);\n    throw error;', '    throw error;'],
  ],
  [
    'prepare-throws-wrong',
    'a first fault without memory says something else than that',
    ['prepare.ts', '    throw error;', '    throw new RangeError(String(error));'],
  ],
  [
    'one-for-all',
    'all processes of the machine share one anon_vma',
    [
      'prepare.ts',
      'const shared = yield* neighbourAnonVma(state, vma);',
      'const shared = (yield* neighbourAnonVma(state, vma)) ?? anonVmas.memory.find((each) => each.refcount > 0 && each.root === each) ?? null;',
    ],
  ],

  // Forks and clones.
  [
    'fork-links-newest',
    "a fork links the child to the parent's own anon_vma, not to those above",
    [
      'clone.ts',
      'for (let old = state.vmas.of(from).oldest; old !== null; old = old.newer) {',
      'for (let old = forked ? state.vmas.of(from).newest : state.vmas.of(from).oldest; old !== null; old = old.newer) {',
    ],
  ],
  [
    'fork-own-unlinked',
    'a forked VMA is not linked to the anon_vma of its own pages',
    ['fork.ts', '  fields.add(link, child, anonVma);\n  above.numChildren++;', '  above.numChildren++;\n  chains.free(link);'],
  ],
  [
    'fork-leaks-anon-vma',
    'a fork that gets no link keeps the anon_vma',
    ['fork.ts', '    if (anonVma !== null) yield* anonVmas.put(anonVma);\n', ''],
  ],
  ['fork-leaves-links', 'a fork without memory leaves the links it made', ['fork.ts', '    yield* unlink(state, child);\n', '']],
  [
    'links-at-most',
    'a clone copies the oldest twelve links',
    ['clone.ts', 'old !== null; old = old.newer) {', 'old !== null && target.links < 12; old = old.newer) {'],
  ],
  [
    'clone-drops-oldest',
    'a clone copies all links but the oldest',
    [
      'clone.ts',
      'let old = state.vmas.of(from).oldest; old !== null;',
      'let old = state.vmas.of(from).oldest!.newer ?? state.vmas.of(from).oldest; old !== null;',
    ],
  ],
  ['clone-leaves-links', 'a clone without memory leaves the links it made', ['clone.ts', '    yield* unlink(state, to);\n', '']],

  // Unlinking.
  [
    'unlink-keeps-tree',
    'an unlinked VMA stays in the trees of which it was not the last',
    [
      'unlink.ts',
      '    anonVma.remove(link);\n    if (anonVma.top === null)',
      '    if (anonVma.top === link && link.left === null && link.right === null) anonVma.remove(link);\n    if (anonVma.top === null)',
    ],
  ],
  [
    'unlink-newest-only',
    'an unlinked VMA loses its newest link only',
    ['unlink.ts', '    link = older;\n  }\n  if', '    link = null;\n  }\n  if'],
    [
      'unlink.ts',
      'for (let link: AnonVmaChain | null = fields.newest; link !== null; link = fields.newest) {',
      'for (let link: AnonVmaChain | null = fields.newest; link !== null && link.anonVma.top === null; link = fields.newest) {',
    ],
  ],
  [
    'unlink-forgets-empty',
    'an anon_vma whose last VMA has gone is not freed',
    ['unlink.ts', '    yield* state.anonVmas.put(anonVma);\n', '    void anonVma;\n'],
  ],
  ['unlink-keeps-active', 'an unlinked VMA still knows where its pages went', ['unlink.ts', '    fields.anonVma = null;\n', '']],
  [
    'unlink-frees-first',
    'a link is taken out of its list after it was freed',
    [
      'unlink.ts',
      '      fields.remove(link);\n      state.chains.free(link);\n    }',
      '      state.chains.free(link);\n      fields.remove(link);\n    }',
    ],
  ],
  [
    'unlink-allocates',
    'unlinking asks for memory',
    ['unlink.ts', '  yield* rwsem.write();', '  state.chains.free(yield* state.chains.alloc());\n  yield* rwsem.write();'],
  ],
  [
    'root-never-freed',
    'a root that only waited for its last member is not freed',
    [
      'anon-vma.ts',
      '    if (root !== anonVma && (yield* this.drop(root))) yield* this.freeOne(root);',
      '    if (root !== anonVma) yield* this.drop(root);',
    ],
  ],
  [
    'recycled-root',
    'an anon_vma in used memory keeps the root that it had there',
    [
      'anon-vma.ts',
      '    anonVma.root = anonVma;\n    anonVma.parent',
      '    if (anonVma.numChildren === 0 && anonVma.numActiveVmas === 0 && anonVma.parent === anonVma) anonVma.root = anonVma;\n    anonVma.parent',
    ],
  ],

  // Merges.
  [
    'merge-everything',
    'any two VMAs may merge',
    [
      'merge-rule.ts',
      '  if (from !== null && into !== null) return false;\n',
      '  if (from !== null && into !== null) return true;\n',
    ],
  ],
  [
    'bridge-everything',
    'what lies between two VMAs may join them, whatever their links',
    [
      'merge-rule.ts',
      'if (from !== null && into !== null) return false;',
      "if (from !== null && into !== null) return how === 'bridge';",
    ],
  ],

  // Folios.
  [
    'rehome-ignored',
    'a page that UFFDIO_MOVE took elsewhere keeps its anchor',
    [
      'strategy.ts',
      '    const own = this.state.vmas.of(vma).anonVma!;\n',
      "    if (event === 'rehome') return;\n    const own = this.state.vmas.of(vma).anonVma!;\n",
    ],
  ],
  [
    'anchor-allocates',
    'a page gets its anchor with memory that is asked for under the page-table lock',
    [
      'strategy.ts',
      "  anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {\n",
      "  *anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): Op<void> {\n    this.state.chains.free(yield* this.state.chains.alloc());\n",
    ],
  ],
  [
    'drop-allocates',
    'giving a page up asks for memory',
    [
      'strategy.ts',
      '  /** The family is what',
      '  *drop(): Op<void> {\n    this.state.chains.free(yield* this.state.chains.alloc());\n  }\n\n  /** The family is what',
    ],
  ],
  [
    'transfer-forgets',
    'what takes the place of a folio has no anchor',
    [
      'strategy.ts',
      '  /** The family is what',
      '  transfer(to: Folio): void {\n    this.services.folios.setAnchor(to, 0);\n  }\n\n  /** The family is what',
    ],
  ],
]);
