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
]);
