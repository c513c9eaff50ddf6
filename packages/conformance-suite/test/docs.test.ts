import { expect, it } from 'vitest';
import { cases, LEVELS, RULES } from '../src/index.js';
import { KERNEL_TESTS } from './kernel-coverage.js';

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
    "## The kernel's own tests",
    '',
    'What they put memory through, the cases put walks through, with programs of our own. They look at ranges and contents; the cases look at what walks find.',
    ...Object.entries(KERNEL_TESTS).flatMap(([file, rows]) => [
      '',
      `### ${file}`,
      '',
      '| test | cases |',
      '| --- | --- |',
      ...rows.map(
        ([what, covered]) =>
          `| ${cell(what)} | ${typeof covered === 'string' ? covered : covered.map((id) => `\`${id}\``).join(', ')} |`,
      ),
    ]),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/conformance-cases.md');
});
