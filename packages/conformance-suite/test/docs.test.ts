import { expect, it } from 'vitest';
import { type ConformanceCase, cases, LEVELS, type Level, RULES } from '../src/index.js';
import { KERNEL_TESTS } from './kernel-coverage.js';

/* After a change of the cases: `npx vitest run --project conformance-suite docs -u`. */

const cell = (text: string): string => text.replaceAll('|', '\\|');
const of = (level: Level): readonly ConformanceCase[] => cases.filter((each) => each.level === level);
/** The case's place on the page of its level, as Markdown viewers make it of the heading. */
const linked = (id: string, pages = 'cases/'): string =>
  `[\`${id}\`](${pages}${id.split('/', 1)[0]}.md#${id.toLowerCase().replace(/[^\w-]/g, '')})`;

it('docs/conformance-cases.md lists every case with its rule', async () => {
  const page = [
    '# The cases of the conformance suite',
    '',
    'Written by a test of the suite. A must-case decides whether a strategy conforms. Each leads to why it is there.',
    '',
    '## The rules',
    '',
    ...Object.entries(RULES).map(([rule, sentence]) => `- **${rule}** ${sentence}`),
    ...LEVELS.flatMap((level) => [
      '',
      `## ${level}`,
      '',
      '| case | rule | what | |',
      '| --- | --- | --- | --- |',
      ...of(level).map(({ id, rule, title, strength }) => `| ${linked(id)} | ${rule} | ${cell(title)} | ${strength} |`),
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
          `| ${cell(what)} | ${typeof covered === 'string' ? covered : covered.map((id) => linked(id)).join(', ')} |`,
      ),
    ]),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/conformance-cases.md');
});

it.each(LEVELS)('docs/cases/%s.md says of every case of the level why it is there', async (level) => {
  const page = [
    `# Cases: ${level}`,
    '',
    'Written by a test of the suite. [All levels](../conformance-cases.md)',
    ...of(level).flatMap(({ id, rule, title, why, strength, needs }) => [
      '',
      `## ${id}`,
      '',
      `${title[0].toUpperCase()}${title.slice(1)}.`,
      '',
      `- Why: ${why}`,
      `- ${rule}: ${RULES[rule]}`,
      `- Strength: ${strength}${needs.length === 0 ? '' : `; needs ${needs.join(', ')}`}`,
      `- Alone: \`rmap-conformance <strategy> --grep ${id}\``,
    ]),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot(`../../../docs/cases/${level}.md`);
});
