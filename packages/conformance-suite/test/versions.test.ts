import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it } from 'vitest';
import { checkVersions, runConformance, WrongVersions } from '../src/index.js';

describe('versions are checked before anything is run', () => {
  const strategy = { name: 'x', contract: 1 } as const;

  it('suite and core of one generation fit', () => {
    for (const [suite, core] of [
      ['1.2.0', '1.9.4'],
      ['0.3.0', '0.3.7'],
    ])
      expect(() => checkVersions(strategy, { suite, core })).not.toThrow();
  });

  it.each([
    ['1.2.0', '2.0.0', 'install @rmap-lab/conformance-suite@^2.0.0, or @rmap-lab/core@^1.2.0'],
    ['0.3.0', '0.4.0', 'install @rmap-lab/conformance-suite@^0.4.0, or @rmap-lab/core@^0.3.0'],
  ])('suite %s with core %s is refused, with what to install', (suite, core, said) => {
    expect(() => checkVersions(strategy, { suite, core })).toThrow(said);
  });

  it('a strategy of another contract is refused, with what to install', () => {
    const other = { ...anonVma(), contract: 2 as never };
    expect(() => runConformance(other)).toThrow(WrongVersions);
    expect(() => runConformance(other)).toThrow(/install a version of the strategy for contract 1/);
  });
});
