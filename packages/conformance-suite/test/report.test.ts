import { stripVTControlCharacters } from 'node:util';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it } from 'vitest';
import { type CaseResult, runConformance } from '../src/index.js';
import { documentOf } from '../src/report/document.js';
import { junit } from '../src/report/junit.js';
import { markdown } from '../src/report/markdown.js';
import { pretty } from '../src/report/pretty.js';
import { tap } from '../src/report/tap.js';

const classic = anonVma();
const report = runConformance(
  {
    ...classic,
    name: 'forgets',
    create: (services) => Object.assign(classic.create(services), { fork() {}, clone() {} }),
  },
  { levels: ['contract', 'one-address-space', 'families'] },
);
const failures = report.results.filter(({ outcome }) => outcome === 'failed');
const alone = failures.filter(({ level }) => level === 'contract');

const print = (results: readonly CaseResult[]): string =>
  stripVTControlCharacters(pretty({ ...report, results }, 'rmap-conformance x'));
/** Ids of the failures that are shown in full, from a report of these alone. */
const shown = (results: readonly CaseResult[]): string[] => [...print(results).matchAll(/^failed (\S+)/gm)].map(([, id]) => id);
const levelsOf = (ids: readonly string[]): string[] => ids.map((id) => id.split('/')[0]);

describe('the failures that the report for a terminal shows in full', () => {
  it('are those with a program, though cases of `contract` failed before them and have none', () => {
    expect(alone.length).toBeGreaterThan(5);
    expect(shown(report.results)).toHaveLength(5);
    expect(levelsOf(shown(report.results))).not.toContain('contract');
  });

  it('are of as many rules as there are', () => {
    const rules = (ids: readonly string[]) => new Set(failures.filter(({ id }) => ids.includes(id)).map(({ broken }) => broken));
    const withProgram = failures.filter(({ code }) => code !== null).map(({ id }) => id);
    expect(rules(shown(report.results)).size).toBe(Math.min(5, rules(withProgram).size));
    expect(rules(withProgram).size).toBeGreaterThan(1);
  });

  it('are those without a program where there are no others, and concurrent ones before them', () => {
    expect(levelsOf(shown(alone))).toEqual(Array(5).fill('contract'));
    const concurrent = { ...alone[0], id: 'concurrency/any', evidence: { schedule: '2 steps' } };
    expect(shown([...alone, concurrent])[0]).toBe('concurrency/any');
  });

  it('are, with those that are only named, all there are', () => {
    const few = failures.slice(0, 25);
    const [, count, ids] = /^and (\d+) more: (.*)$/m.exec(print(few))!;
    expect([...shown(few), ...ids.split(', ')].sort()).toEqual(few.map(({ id }) => id).sort());
    expect(Number(count)).toBe(few.length - 5);
  });

  it('are not pushed off the screen by the names of hundreds of others', () => {
    expect(failures.length).toBeGreaterThan(26);
    const [, count, ids] = /^and (\d+) more: (.*), \.\.\. \(--reporter tap names all\)$/m.exec(print(report.results))!;
    expect(ids.split(', ')).toHaveLength(20);
    expect(Number(count)).toBe(failures.length - 5);
  });
});

describe('a report of a run that came to no end says how far it came', () => {
  const results = report.results.slice(0, 3);
  const partial = { ...report, results, of: 9 };

  it.each([
    ['a terminal', pretty, / so far \(3 of 9 cases were run\)\n/],
    ['a pull request', markdown, /^Not run to the end: 3 of 9 cases\.$/m],
    ['consumers of TAP', tap, /\n1\.\.9\n.*\nBail out! 3 of 9 cases were run$/s],
    ['consumers of JUnit', junit, /<!-- 3 of 9 cases were run -->/],
  ])('for %s', (_, print, says) => {
    expect(stripVTControlCharacters(print(partial, 'again'))).toMatch(says);
    expect(stripVTControlCharacters(print({ ...partial, of: 3 }, 'again'))).not.toMatch(says);
  });

  it('in a field of its own, which other documents have not', () => {
    expect(documentOf(partial).partial).toBe(true);
    expect(documentOf({ ...partial, of: 3 })).not.toHaveProperty('partial');
  });
});
