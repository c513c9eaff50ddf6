import { expect, it } from 'vitest';
import { cases, LEVELS, RULES } from '../src/index.js';

/** After a change of the cases: `npx vitest run --project conformance-suite docs -u`. */
it('docs/conformance-cases.md lists every case with its rule and its reason', async () => {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const page = [
    '# The cases of the conformance suite',
    '',
    'Written by a test of the suite. A must-case decides whether a strategy conforms.',
    '',
    '## The rules',
    '',
    ...Object.entries(RULES).map(([rule, sentence]) => `- **${rule}** ${sentence}`),
    ...LEVELS.flatMap((level) => [
      '',
      `## ${level}`,
      '',
      '| case | rule | what | why | |',
      '| --- | --- | --- | --- | --- |',
      ...cases
        .filter((each) => each.level === level)
        .map(({ id, rule, title, why, strength }) => `| \`${id}\` | ${rule} | ${cell(title)} | ${cell(why)} | ${strength} |`),
    ]),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/conformance-cases.md');
});
