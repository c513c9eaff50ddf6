import { ContractViolation } from '@rmap-lab/core';

/** What a strategy must do: the rules of the contract, by their permanent ids, each as one sentence. */
export const RULES = {
  R1: 'Two kernels are fully apart; `create` changes nothing but what it returns.',
  R2: 'A hook that throws NoMemory has leaked nothing and left every walk right.',
  R3: 'A hook answers what it owes, and throws nothing but NoMemory, that only where the contract allows it.',
  R4: 'After `unlink(vma)` nothing is held for the VMA, whatever led there, and `prepare` is accepted again.',
  R5: '`prepare` may be called again, also when two faults race.',
  R6: 'After `clone(to, from)` a walk finds in `to` whatever `from` could hold, and `from` still finds its own.',
  R7: 'After `fork(child, parent)` a walk finds in the child whatever the parent could hold, for any order of later forks and exits.',
  R8: '`adjust` calls `apply` once; no walk misses an entry because of a half-applied change.',
  R9: '`forkMm` calls `copy` once, holding no lock; entries of a child that failed stay findable until its `mmExit`.',
  R10: '`move` drives the move to its end; a walk meets a travelling entry at its old or its new place.',
  R11: '`canMerge` and `reaches` change nothing; after a merge that was allowed every walk is still right.',
  R12: 'After `anchor(folio, vma, event)` a walk finds every entry of the folio in that VMA and in later forks of it.',
  R13: '`reaches` says yes only if a walk from the present anchor would visit the VMA.',
  R14: 'After `transfer(to, from)` a walk of `to` finds all that a walk of `from` found.',
  R15: 'After the last exit and the last free nothing is left: no object, no reference, no hold.',
  R16: 'Hooks that must not sleep neither sleep nor allocate.',
  R17: 'With nothing else going on, a walk visits every VMA that maps the folio.',
  R18: 'A walk visits every entry that exists, or travels, during the whole walk.',
  R19: 'A walk visits live VMAs only, at a page inside them, each once a pass.',
  R20: 'While `visit` runs, neither the VMA nor the page tables below it are freed.',
  R21: 'A walk stops when `visit` says so, and calls `restart` before a second pass.',
  R22: 'No spinlock, page-table lock or RCU section is held over `visit`.',
  R23: 'Under a pin every migration entry is found, wherever forks, splits, merges and moves have carried it.',
  R24: 'Under a write hold no other walk of the folio is inside `visit`.',
  R25: 'Told not to wait, `hold` never waits; BUSY and GONE take nothing; GONE means the folio is not mapped.',
  R26: 'A walk without the folio lock is right while the anchor is changed.',
  R27: 'From a pinned VMA a walk visits every VMA into which its pages are carried afterwards.',
  R28: 'Locks are declared, taken in their order, and none is left held.',
  R29: 'Nothing is allocated under a lock that a walk may wait for.',
  R30: 'Nobody sleeps in an RCU section; what others may still read is freed after a grace period.',
  R31: 'No freed object is touched.',
  R32: 'The same calls give the same answers, costs and object ids.',
  R33: 'Only what `unsupported` names is refused.',
  R34: '`inspect` changes nothing.',
  R35: 'A strategy with managed state behaves the same after a snapshot and restore.',
} as const;

/** Id of a rule. */
export type RuleId = keyof typeof RULES;

/** The rule that an error says is broken; what `verify` lists may name a rule of its own. */
export function ruleOf(error: unknown): RuleId | null {
  if (!(error instanceof ContractViolation)) return null;
  const named = /^(R\d+)[ :]|\((R\d+)\)/.exec(error.detail);
  const rule = named?.[1] ?? named?.[2] ?? error.rule;
  return rule in RULES ? (rule as RuleId) : null;
}
