import { mutantsOf } from '../mutant.js';

/** ANON_VMA_LAZY, broken where it shows with one operation at a time. */
export const lazyMutants = mutantsOf('anon-vma-lazy', 'sequential', [
  // Answers that the debate offered.
  [
    'first-in-range',
    'a walk looks at the first VMA in the range of a folio only',
    ['options.ts', "lookup: 'range', mremapFix", "lookup: 'firstInRange', mremapFix"],
  ],
  ['root-only', 'a walk looks at the root only', ['options.ts', "lookup: 'range', mremapFix", "lookup: 'rootOnly', mremapFix"]],
  [
    'moved-tables-kept',
    'folios that travel with a PMD entry or a table are not rewritten',
    ['options.ts', "mremapFix: 'pteAndPmd'", "mremapFix: 'pte'"],
  ],
  ['moved-kept', 'folios of a moved VMA are not rewritten', ['options.ts', "mremapFix: 'pteAndPmd'", "mremapFix: 'none'"]],
  [
    'swapped-in-as-it-stands',
    'a lazy folio from the swap cache is mapped where its root does not lead',
    ['options.ts', "swapinFix: 'copy'", "swapinFix: 'off'"],
  ],
  [
    'upgrade-alone',
    'only the VMA that is forked or moved is upgraded, not those that share a folio with it',
    ['options.ts', "upgrade: 'family'", "upgrade: 'vma'"],
  ],
  [
    'merge-any-base',
    'VMAs of different roots may merge',
    ['options.ts', 'intended: { ...stated,', "intended: { ...stated, mergeRule: 'anySameBase',"],
  ],

  // Look-ups.
  [
    'lookup-one-short',
    'a look-up ends before the last page of a folio',
    ['candidates.ts', '(base + (last + 1) * PAGE)', '(base + Math.max(first + 1, last) * PAGE)'],
  ],
  [
    'walk-never-stops',
    'a walk from a root goes on when its visitor has enough',
    [
      'walk.ts',
      "    if (!(typeof more === 'boolean' ? more : yield* more)) return false;",
      "    if (typeof more !== 'boolean') yield* more;",
    ],
  ],

  // Families of a root.
  [
    'split-unrooted',
    "a split's new half has no root",
    [
      'vma-operations.ts',
      "if (source.root !== null && why !== 'move') joinFamily(state, to, source.root);",
      "if (source.root !== null && why === 'merge') joinFamily(state, to, source.root);",
    ],
  ],
  [
    'merge-unrooted',
    'a VMA that takes in a lazy one gets no root',
    [
      'vma-operations.ts',
      "if (source.root !== null && why !== 'move') joinFamily(state, to, source.root);",
      "if (source.root !== null && why === 'split') joinFamily(state, to, source.root);",
    ],
  ],
  [
    'root-not-held',
    'a VMA holds no reference on its root',
    ['root-vma.ts', 'if (root !== vma && !state.services.vmaRefs.tryGet(root)) throw', 'if (root.id === 0) throw'],
    ['root-vma.ts', '  if (root !== vma) state.services.vmaRefs.put(root);\n', ''],
  ],
  [
    'root-kept',
    'a VMA that goes keeps its reference on its root',
    ['root-vma.ts', '  if (root !== vma) state.services.vmaRefs.put(root);\n', ''],
  ],
  [
    'unlink-keeps-root',
    'an unlinked VMA stays in the family of its root',
    ['vma-operations.ts', '  yield* leaveFamily(state, vma);\n', ''],
  ],
  [
    'members-not-counted',
    'a root does not know how many VMAs have it',
    ['root-vma.ts', '  state.vmas.of(root).members++;\n', ''],
  ],

  // Upgrades and rewriting.
  [
    'fork-upgrades-nothing',
    "a fork leaves the parent's VMA lazy",
    ['vma-operations.ts', '  yield* upgrade(state, parent);\n  if', '  if'],
    [
      'vma-operations.ts',
      '  yield* cloneChain(state, child, parent, true);',
      '  if (state.vmas.of(parent).oldest !== null) yield* cloneChain(state, child, parent, true);',
    ],
  ],
  [
    'fork-rewrites-nothing',
    'a fork leaves shared folios lazy',
    [
      'rewrite.ts',
      "else if (why === 'fork') rewrite(state, from!, state.vmas.of(from!.vma).anonVma!);",
      "else if (why === 'fork') return;",
    ],
  ],
  [
    'move-upgrades-nothing',
    'a move leaves its VMA lazy',
    ['vma-operations.ts', "  if (why === 'move') yield* beforeMove(state, from);\n", ''],
    ['vma-operations.ts', "source.root !== null && why !== 'move'", 'source.root !== null'],
  ],
  [
    'upgrade-unlinked',
    'upgraded VMAs beside the first are not linked to the new anon_vma',
    [
      'upgrade.ts',
      '    its.add(links.pop()!, member, anonVma);',
      '    if (member === vma) its.add(links.pop()!, member, anonVma);\n    else state.chains.free(links.pop()!);',
    ],
  ],
  [
    'upgrade-leaks-links',
    'an upgrade that gets no anon_vma keeps its links',
    ['upgrade.ts', '    for (const link of links) state.chains.free(link);\n', ''],
  ],
  [
    'upgrade-uncounted',
    'an anon_vma below that of a parent holds no reference of the root',
    ['upgrade.ts', '    anonVma.root.refcount++;\n', ''],
  ],
  [
    'upgrade-forgets-root',
    'an upgraded VMA forgets its root, although lazy folios of it are in the swap cache',
    [
      'upgrade.ts',
      '  if (fields.root !== null) rememberHeir(state, fields.root, anonVma);',
      '  if (fields.root !== null) rememberHeir(state, fields.root, anonVma);\n  for (const member of members) if (state.vmas.of(member).root !== member) yield* leaveFamily(state, member);',
    ],
    [
      'upgrade.ts',
      "import type { LazyState } from './state.js';",
      "import { leaveFamily } from './root-vma.js';\nimport type { LazyState } from './state.js';",
    ],
  ],

  // KSM.
  [
    'ksm-forgets-heirs',
    'KSM does not look at what a pinned family became',
    ['walk.ts', '    yield* walkRegular(state, pinOf(heir), query, asking);\n', ''],
  ],
  [
    'ksm-pin-unknown',
    'a family does not know that KSM pins it',
    ['hold.ts', '    h.pin = true;\n    state.vmas.of(root!).pins++;\n', '    h.pin = true;\n'],
    ['hold.ts', '    state.vmas.of(root).pins--;\n', ''],
  ],
  [
    'heirs-uncounted',
    'what a pinned family became is not counted as needed',
    ['upgrade.ts', '  anonVma.refcount++;\n  heirs', '  heirs'],
    ['root-vma.ts', 'yield* state.anonVmas.put(heir);', 'heirs.length = 0;'],
  ],
  [
    'heirs-kept',
    'what a pinned family became is kept when nobody asks any more',
    [
      'root-vma.ts',
      'for (let heir = heirs.pop(); heir !== undefined; heir = heirs.pop()) yield* state.anonVmas.put(heir);',
      'heirs.length = 0;\n  yield* [];',
    ],
  ],

  // Anchors and holds.
  [
    'rehome-ignored',
    'a page that UFFDIO_MOVE took elsewhere keeps its anchor',
    [
      'anchor.ts',
      '  const { anonVma, borrowed, oldest } = fields;\n',
      "  const { anonVma, borrowed, oldest } = fields;\n  if (event === 'rehome') return;\n",
    ],
  ],
  [
    'reaches-all',
    'a page in the swap cache is mapped wherever it is asked for',
    ['anchor.ts', "  return state.options.swapinFix === 'off';", '  return true;'],
  ],
  ['hold-keeps-root', 'a walk that ends keeps its reference on the root', ['hold.ts', '  vmaRefs.put(root);\n}', '}']],
  [
    'unmapped-held',
    'a lazy folio that nothing maps is held all the same',
    ['hold.ts', '  if (!isLazyAnchor(word) || !(yield* folios.mapped(folio))) {', '  if (!isLazyAnchor(word)) {'],
    ['hold.ts', 'if (locked && same && (yield* folios.mapped(folio))) return hold;', 'if (locked && same) return hold;'],
  ],
  [
    'base-kept',
    'the distance between offsets and addresses is that of the first fault, wherever exec shifts the stack',
    [
      'vma-operations.ts',
      'if (fields.members > 0) fields.base = baseOf(vma.start, vma.anonPgoff);',
      'void baseOf(vma.start, fields.base as typeof vma.anonPgoff);',
    ],
    ['options.ts', 'intended: { ...stated,', "intended: { ...stated, base: 'cached',"],
  ],
]);
