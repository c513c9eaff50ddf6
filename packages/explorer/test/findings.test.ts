import { readFileSync } from 'node:fs';
import type { RmapStrategy } from '@rmap-lab/core';
import { presets as anonVmasLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { presets as cowContexts } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import { decodeToken, failureOf, kernelProgram, scenarioNamed } from '../src/index.js';

const presets: Readonly<Record<string, Readonly<Record<string, () => RmapStrategy>>>> = {
  'anon-vma-lazy': { ...anonVmasLazy, '': anonVmasLazy.intended },
  'cow-context': cowContexts,
};
const strategyOf = (name: string): RmapStrategy => {
  const [base, preset = ''] = name.split(':');
  return presets[base][preset]();
};

const page = readFileSync(new URL('../../../docs/findings.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| [\w ]+ \| `([\w:-]+)` \| `([\w-]+)` \| .* \| (\w+) \| (\d+), (\d+) \|$/gm)];
const tokens = [...page.matchAll(/^rx\d\.[\w-]+$/gm)].map(([token]) => token);

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
    const program = kernelProgram(scenarioNamed(token.scenario), { strategy: strategyOf(token.strategy) });
    const failure = failureOf(program, token);
    const row = rows[tokens.indexOf(text)];
    expect(failure).toMatchObject({ rule: row[3], operations: Number(row[4]), preemptions: Number(row[5]) });
  });
});
