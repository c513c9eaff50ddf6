import type { Mutant } from '../mutant.js';

/** mm: optimize page_lock_anon_vma() fast-path (3.0), as it was until 3.16: "mm: fix sleeping function warning from __put_anon_vma". */
export const mutant: Mutant = {
  id: 'anon-vma/put-in-rcu-section',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '88c22088bf23',
  sentence: 'a reference that turns out useless is put inside the RCU section, where freeing may have to wait for a lock',
  patches: [
    [
      'lock.ts',
      `    rcu.readUnlock();
    if (got && mapped) return anonVma;
    if (got) yield* anonVmas.put(anonVma);
`,
      `    if (got && !mapped) yield* anonVmas.put(anonVma);
    rcu.readUnlock();
    if (got && mapped) return anonVma;
`,
    ],
  ],
};
