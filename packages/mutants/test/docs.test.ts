import { expect, it } from 'vitest';
import { mutants } from '../src/index.js';
import { killers, matrix, mustCases } from './matrix.js';

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
    ...whatCasesKill(),
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/mutants.md');
});

function whatCasesKill(): readonly string[] {
  const { missing, firstKill, surviving, stuck } = matrix;
  const hanging = Object.keys(stuck);
  const { all, killing } = mustCases();
  const on = (ids: readonly string[]): string => (ids.length === 0 ? 'all mutants' : `${mutants.length - ids.length} mutants`);
  return [
    '## What the cases kill',
    '',
    `\`npm run -s mutants\` runs every case on every mutant. Written down in \`packages/mutants/kills.json\`: the cases of one operation at a time on ${on(missing.alone)}, the drawn programs on ${on(missing.drawn)}, the cases where several run at once, with at most 2 preemptions, on ${on(missing.together)}${Object.values(missing).flat().length === 0 ? '' : '; it names the others'}.`,
    '',
    `- ${killing.length} of ${all.length} must-cases kill at least one mutant.`,
    `- The first kill takes ${firstKill.p50} s of processor time for half of the mutants that were seen to die, ${firstKill.max} s at most.`,
    `- Of the mutants on which every case was run, ${surviving.length} survive all with 2 preemptions, and die with 3${surviving.length === 0 ? '.' : `: ${surviving.map((id) => `\`${id}\``).join(', ')}.`}`,
    `- ${hanging.length} mutants hang or use up memory in some cases; one with three such cases was not run on what follows the third: ${hanging.map((id) => `\`${id}\``).join(', ')}.`,
    '',
  ];
}
