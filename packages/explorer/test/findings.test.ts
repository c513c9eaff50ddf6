import { readFileSync } from 'node:fs';
import type { RmapStrategy } from '@rmap-lab/core';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import { decodeToken, failureOf, kernelProgram, scenarioNamed } from '../src/index.js';

const strategies: Readonly<Record<string, RmapStrategy>> = {
  'anon-vma-lazy': anonVmaLazy(),
  'anon-vma-lazy:stated': anonVmaLazy('stated'),
  'anon-vma-lazy:posted': anonVmaLazy('posted'),
  'cow-context:poc': cowContext('poc'),
};

const page = readFileSync(new URL('../../../docs/findings.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| [\w ]+ \| `([\w:-]+)` \| `([\w-]+)` \| .* \| (\w+) \| (\d+), (\d+) \|$/gm)];
const tokens = [...page.matchAll(/^rx1\.[\w-]+$/gm)].map(([token]) => token);

/** When one fails because the model changed: `rmap-lab explore SCENARIO --strategy STRATEGY --json` finds a new token. */
describe('what docs/findings.md says was found', () => {
  it('has a token for every row', () => {
    expect(tokens.length).toBeGreaterThan(10);
    const found = tokens.map((token) => {
      const { strategy, scenario, rule } = decodeToken(token);
      return [strategy, scenario, rule];
    });
    expect(found).toEqual(rows.map(([, strategy, scenario, rule]) => [strategy, scenario, rule]));
  });

  it.each(tokens)('%s replays', (text) => {
    const token = decodeToken(text);
    const program = kernelProgram(scenarioNamed(token.scenario), { strategy: strategies[token.strategy] });
    const failure = failureOf(program, token);
    const row = rows[tokens.indexOf(text)];
    expect(failure).toMatchObject({ rule: row[3], operations: Number(row[4]), preemptions: Number(row[5]) });
  });
});
