import { mutantsOf } from '../mutant.js';

/** The CoW context, broken where it shows only when several things happen at once. */
export const concurrentCowContextMutants = mutantsOf('cow-context', 'concurrent', [
  [
    'child-linked-late',
    'a child is linked when everything is copied',
    ['choices.ts', "  linkChild: 'beforeCopy',", "  linkChild: 'afterCopy',"],
  ],
  [
    'rcu-only',
    'nothing but an RCU section and a pin keeps an address space still under a walk',
    ['choices.ts', "  walkLocking: 'contextLock',", "  walkLocking: 'rcuOnly',"],
  ],
  [
    'children-first',
    'a walk looks at children before their parent',
    ['choices.ts', "  walkOrder: 'parentFirst',", "  walkOrder: 'childrenFirst',"],
  ],
  [
    'move-unlocked',
    'entries move while walks look on',
    [
      'strategy.ts',
      '      yield* lock.write();\n      yield* moving.step();\n      lock.writeUnlock();',
      '      void lock;\n      yield* moving.step();',
    ],
  ],
  [
    'unlink-unlocked',
    'a VMA goes without waiting for walks inside it',
    [
      'remaps.ts',
      '    // Also without a record: a walk may still be inside.\n    yield* context.lock.write();',
      '    if (fields.recorded) yield* context.lock.write();',
    ],
    [
      'remaps.ts',
      '      fields.recorded = false;\n    }\n    context.lock.writeUnlock();',
      '      fields.recorded = false;\n      context.lock.writeUnlock();\n    }',
    ],
  ],
  [
    'adjust-unlocked',
    'ranges change while walks look on',
    [
      'remaps.ts',
      '    yield* this.memory.lockWithRoom(context, needed);\n    yield* change.apply();',
      '    yield* this.memory.lockWithRoom(context, needed);\n    context.lock.writeUnlock();\n    yield* change.apply();',
    ],
    [
      'remaps.ts',
      '    for (const vma of gone) this.fields.of(vma).recorded = false;\n    context.lock.writeUnlock();',
      '    for (const vma of gone) this.fields.of(vma).recorded = false;',
    ],
  ],
  [
    'forks-not-counted',
    'a walk takes mappings that forks made meanwhile for those it looks for',
    ['walk.ts', 'return !this.grown && mappings', 'return mappings'],
  ],
  [
    'freed-at-once',
    'a context is freed while lock-free readers may see it',
    ['contexts.ts', '    this.cache.freeRcu(context);\n    return parent;', '    this.cache.free(context);\n    return parent;'],
  ],
  [
    'owner-not-read-again',
    'who has locked the owner of a folio does not look whether it still is',
    [
      'hold.ts',
      'if ((yield* state.services.folios.readAnchor(folio)) === owner.ref) return',
      'if ((yield* state.services.folios.readAnchor(folio)) > 0) return',
    ],
  ],
  [
    'reuse-unlocked',
    'a folio goes to another owner while walks from the former are under way',
    ['owner.ts', "  if (event === 'reuse' && !old.lock.tryWrite()) return;\n", ''],
    ['owner.ts', "  if (event === 'reuse') old.lock.writeUnlock();\n", ''],
  ],
  [
    'reference-unconditional',
    'a reference is taken of a context that has lost its last',
    [
      'contexts.ts',
      "if ((yield* this.services.load(context, 'refs')) === 0) return false;",
      "yield* this.services.load(context, 'refs');",
    ],
  ],
  [
    'pinned-walk-unlocked',
    'a walk under a pin does not keep its owner still',
    ['walk.ts', 'if (isPin(hold)) yield* owner.lock.read();', 'if (isPin(hold)) yield* [];'],
    ['walk.ts', '    if (isPin(hold)) owner.lock.readUnlock();\n', ''],
  ],
  [
    'others-unlocked',
    'a walk keeps only the owner still, not the contexts below',
    ['walk.ts', '  if (!locked) yield* context.lock.read();', '  if (!locked) yield* [];'],
    ['walk.ts', '    if (!locked) context.lock.readUnlock();\n', ''],
  ],
  [
    'siblings-unlocked',
    'a child is linked without the lock of the list of children',
    ['contexts.ts', '    yield* parent.childLock.lock();\n    child.next', '    yield* [];\n    child.next'],
    ['contexts.ts', '    parent.firstChild = child;\n    parent.childLock.unlock();', '    parent.firstChild = child;'],
  ],
  [
    'exit-unlocked',
    'an address space leaves its context while walks look at it',
    [
      'strategy.ts',
      '    yield* context.lock.write();\n    context.mm = null;\n    context.records.clear();\n    context.lock.writeUnlock();',
      '    context.mm = null;\n    context.records.clear();',
    ],
  ],
]);
