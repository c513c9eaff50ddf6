import { mutantsOf } from '../mutant.js';

/** The classic design, broken where it shows only when several things happen at once. */
export const concurrentAnonVmaMutants = mutantsOf('anon-vma', 'concurrent', [
  [
    'adjust-unlocked',
    'links are keyed anew while walks look on',
    ['adjust.ts', '  yield* rwsem.write();\n', '  void rwsem;\n'],
    ['adjust.ts', '  rwsem.writeUnlock();\n', ''],
  ],
  [
    'adjust-read-locked',
    'links are keyed anew under the lock for reading',
    ['adjust.ts', '  yield* rwsem.write();\n', '  yield* rwsem.read();\n'],
    ['adjust.ts', '  rwsem.writeUnlock();\n', '  rwsem.readUnlock();\n'],
  ],
  [
    'unlink-unlocked',
    'links are undone while walks look on',
    ['unlink.ts', '  yield* rwsem.write();\n', '  void rwsem;\n'],
    ['unlink.ts', '  rwsem.writeUnlock();\n', ''],
  ],
  [
    'clone-unlocked',
    'links are copied while walks look on',
    ['clone.ts', '      if (locked) root.rwsem.writeUnlock();\n', ''],
    ['clone.ts', '    if (!locked) yield* root.rwsem.write();\n', ''],
    ['clone.ts', '  root.rwsem.writeUnlock();\n}', '}'],
  ],
  [
    'fork-own-unlocked',
    "a forked VMA is linked to its own anon_vma without the root's lock",
    ['fork.ts', '  yield* rwsem.write();\n', '  void rwsem;\n'],
    ['fork.ts', '  rwsem.writeUnlock();\n', ''],
  ],
  [
    'first-fault-twice',
    'of two first faults at once both link the VMA',
    ['prepare.ts', 'const late = fields.anonVma !== null;', 'const late = fields.links > 1;'],
  ],
  [
    'equals-first',
    'of VMAs at the same offset the one that was linked last is visited first',
    ['interval-tree.ts', 'below = node.first < at.first;', 'below = node.first <= at.first;'],
  ],
  [
    'not-type-safe',
    'memory of an anon_vma may become anything while lock-free readers look at it',
    ['anon-vma.ts', 'create, typesafeByRcu: true', 'create, typesafeByRcu: false'],
  ],
  [
    'pinned-walk-unlocked',
    'a walk under a pin takes no lock',
    ['walk.ts', 'if (isPin(hold)) yield* rwsem.read();', 'if (isPin(hold)) yield* [];'],
    ['walk.ts', 'if (isPin(hold)) rwsem.readUnlock();', ''],
  ],
  [
    'pinned-walk-unlocks-early',
    'a walk under a pin gives the lock back before it looks',
    [
      'walk.ts',
      'if (isPin(hold)) yield* rwsem.read();',
      'if (isPin(hold)) yield* rwsem.read();\n  if (isPin(hold)) rwsem.readUnlock();',
    ],
    ['walk.ts', '    if (isPin(hold)) rwsem.readUnlock();\n    services', '    services'],
  ],
  [
    'write-hold-reads',
    'who must keep walks out takes the lock for reading',
    [
      'lock.ts',
      "  if (mode === 'pin') return holdOf(anonVma, PIN);\n  yield* anonVma.root.rwsem.write();\n  return holdOf(anonVma, WRITE);\n}\n\n/** Starts from a VMA",
      "  if (mode === 'pin') return holdOf(anonVma, PIN);\n  yield* anonVma.root.rwsem.read();\n  return holdOf(anonVma, WRITE);\n}\n\n/** Starts from a VMA",
    ],
    [
      'lock.ts',
      'if (mode === WRITE) anonVma.root.rwsem.writeUnlock();\n  yield*',
      'if (mode === WRITE) anonVma.root.rwsem.readUnlock();\n  yield*',
    ],
  ],
  [
    'reference-after-rcu',
    'the reference on an anon_vma is taken after the RCU section that kept its memory',
    [
      'lock.ts',
      '    const got = yield* anonVmas.tryGet(anonVma);\n',
      '    rcu.readUnlock();\n    const got = yield* anonVmas.tryGet(anonVma);\n    rcu.readLock();\n',
    ],
  ],
  [
    'reference-unconditional',
    'a reference is taken of what has lost its last',
    [
      'anon-vma.ts',
      "if ((yield* this.services.load(anonVma, 'refcount')) === 0) return false;",
      "yield* this.services.load(anonVma, 'refcount');",
    ],
  ],
  [
    'try-ignored',
    'a walk that could not have the lock goes on without',
    [
      'lock.ts',
      '    if (!(mode === WRITE ? rwsem.tryWrite() : rwsem.tryRead())) {\n      rcu.readUnlock();\n      return BUSY;\n    }',
      "    if (!(mode === WRITE ? rwsem.tryWrite() : rwsem.tryRead())) yield* services.load(anonVma, 'root');",
    ],
  ],
  [
    'walk-in-rcu-section',
    'a walk looks at VMAs inside an RCU section',
    ['walk.ts', '  try {\n    for', '  services.rcu.readLock();\n  try {\n    for'],
    ['walk.ts', '  } finally {\n', '  } finally {\n    services.rcu.readUnlock();\n'],
  ],
  [
    'freed-under-readers',
    'an anon_vma is freed without waiting for who locked it on the strength of a stale anchor',
    ['anon-vma.ts', 'andThen(anonVma.root.rwsem.drain(), () =>', "andThen(this.services.load(anonVma, 'refcount'), () =>"],
  ],
]);
