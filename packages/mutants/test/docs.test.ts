import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from '../src/index.js';

const killers = JSON.parse(readFileSync(new URL('../killers.json', import.meta.url), 'utf8')) as Record<string, string>;

/** After a change of the mutants: `npx vitest run --project mutants docs -u`. */
it('docs/mutants.md lists every mutant with what is wrong and the case that kills it', async () => {
  const page = [
    '# Strategies broken on purpose',
    '',
    `Written by a test. ${mutants.length} variants of the three strategies, each with the case of the conformance suite that kills it first; \`packages/mutants\` says how they are made.`,
    '',
    '| mutant | what is wrong | shows | commit undone | killed by |',
    '| --- | --- | --- | --- | --- |',
    ...mutants.map(
      ({ id, sentence, kind, commit = '' }) =>
        `| \`${id}\` | ${sentence.replaceAll('|', '\\|')} | ${kind} | ${commit} | \`${killers[id]}\` |`,
    ),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/mutants.md');
});
