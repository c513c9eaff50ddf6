import type { Rmap, RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it } from 'vitest';
import {
  decodeToken,
  encodeToken,
  explore,
  failureOf,
  kernelProgram,
  operationsOf,
  type Program,
  type ProgramScenario,
  programLines,
  scenarioNamed,
  scenarios,
  sentenceOf,
  timeline,
  timelineHtml,
  timelineSvg,
} from '../src/index.js';

const base = anonVma();
/** Moves take no lock. */
const unlocked: RmapStrategy = {
  ...base,
  create: (services) => {
    const rmap: Rmap = base.create(services);
    rmap.move = undefined as never;
    return rmap;
  },
};
const scenario = scenarioNamed('move-and-back-x-walk');
const program = kernelProgram(scenario, { strategy: unlocked });
const verdict = explore(program, { engine: 'bounded', preemptions: 2 });
const failure = verdict.failure as NonNullable<typeof verdict.failure>;
const small = scenario.without(new Set(failure.dropped));

describe('a failure', () => {
  it('takes no more operations than it needs: without any one of them that was left, nothing is broken', () => {
    expect(failure).toMatchObject({ rule: 'R18', operations: operationsOf(small.program).length, preemptions: 1 });
    expect(failure.operations).toBe(5);
    const passes = (candidate: ProgramScenario): boolean =>
      explore(kernelProgram(candidate, { strategy: unlocked }), { engine: 'bounded', preemptions: 2 }).verdict === 'passes';
    for (let number = 0; number < failure.operations; number++) expect(passes(small.without(new Set([number])))).toBe(true);
  });

  // A signal was not heard by then.
  it('is told with the operations that are left when making it smaller is interrupted', () => {
    const interrupt = new AbortController();
    let tried = 0;
    const interrupted: Program = Object.assign((...how: Parameters<Program>) => program(...how), {
      operations: program.operations as number,
      without: (dropped: ReadonlySet<number>) => {
        tried++;
        interrupt.abort();
        return (program.without as NonNullable<Program['without']>)(dropped);
      },
    });
    const told = explore(interrupted, { engine: 'bounded', preemptions: 2, signal: interrupt.signal }).failure;
    expect(tried).toBe(1);
    expect(told).toMatchObject({ rule: 'R18', recording: { error: { rule: 'R18' } } });
    expect(told?.operations).toBeGreaterThan(failure.operations);
  });

  it('is a sentence: the rule, the two steps, and the lock that would order them', () => {
    expect(sentenceOf(failure)).toMatch(
      /^R18 is broken: folio \d+ was mapped .*; for walk's 'lock ptl' \(step \d+\) comes before move-and-back's '.*' \(step \d+\), and anon_vma, which walk holds there, would order the two if move-and-back took it too\.$/,
    );
  });

  it('is told in columns, with the locks held and the two steps marked', () => {
    const text = timeline(failure);
    expect(text).toContain(sentenceOf(failure));
    expect(text).toMatch(/^\d+ steps, 5 operations, 1 preemption$/m);
    expect(text.match(/^ *\d+ +\* lock ptl/gm)).toHaveLength(2);
    expect(text).toMatch(/\[mmap_lock W, vma W x\d.*\]/);
  });

  it('lists the operations that it takes', () => {
    expect(programLines(small.program)).toEqual([
      'first          process 0: mmap at 9, pages 3, prot 3',
      'first          process 0: write at 10',
      'move-and-back  process 0: mremap at 10, pages 1, newPages 1, to 1030',
      'move-and-back  process 0: mremap at 1030, pages 1, newPages 1, to 10',
      'walk           process 0: walk at 10',
    ]);
  });

  it('comes again from its token, smaller than its scenario', () => {
    const { rule, choices, dropped } = failure;
    const steps = failure.recording.steps.map(({ what }) => what);
    const token = encodeToken({ scenario: scenario.name, dropped, strategy: 'anon-vma', rule, choices, steps });
    const again = failureOf(program, decodeToken(token));
    expect(again).toMatchObject({ message: failure.message, operations: 5, cause: failure.cause });
    expect(failureOf(kernelProgram(scenario, { strategy: unlocked }), decodeToken(token))?.rule).toBe('R18');
  });

  it('is drawn: every step and every lock, and an arrow between the two steps', () => {
    const svg = timelineSvg(failure, 'a <title>');
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg).toContain('a &lt;title&gt;');
    expect(svg.match(/>pte move</g)).toHaveLength(2);
    expect(svg.match(/marker-end/g)).toHaveLength(1);
    expect(svg).toContain('<title>anon_vma R</title>');
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    for (const [i, { what }] of failure.recording.steps.entries()) {
      expect(texts).toContain(String(i));
      expect(texts).toContain(what === 'choice start' ? 'begins' : what);
    }
    const page = timelineHtml(failure, {
      title: 'moves',
      operations: programLines(small.program),
      command: 'rmap-lab replay rx1.x',
    });
    expect(page).toContain(timelineSvg(failure));
    // What can be wider than a screen is scrolled by keyboard; the sentence is no part of it.
    expect(page).toMatch(/<p>R18 is broken: [^<]*<\/p>\n<p class="length">.*<\/p>\n<figure tabindex="0"/);
    expect(page).toContain('rmap-lab replay rx1.x');
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});

describe('a failure of one thread', () => {
  const blind: RmapStrategy = {
    ...base,
    create: (services) => Object.assign(base.create(services), { *walk() {} }),
  };
  const { failure: alone } = explore(kernelProgram(scenarioNamed('fork-x-uffd'), { strategy: blind }));
  if (alone === null) throw new Error('a walk that finds nothing passes');

  it('names its rule once', () => {
    expect(alone.recording.threads).toHaveLength(1);
    expect(sentenceOf(alone)).toMatch(/^R17 is broken: the walk of folio .* One thread after the other is enough\.$/);
  });

  it('is drawn wide enough for the legend', () => {
    const svg = timelineSvg(alone);
    const width = Number(/ width="(\d+)"/.exec(svg)?.[1]);
    const ends = [...svg.matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)</g)].map(([, x, { length }]) => Number(x) + 7.3 * length);
    expect(ends.length).toBeGreaterThan(10);
    expect(Math.max(...ends)).toBeLessThan(width);
  });
});

describe('operations of scenarios', () => {
  it('can be left out, down to none', () => {
    for (const { operations, program: data, without } of scenarios) {
      expect(operations).toBe(operationsOf(data).length);
      const all = new Set(Array.from({ length: operations }, (_, i) => i));
      expect(operationsOf(without(all).program)).toEqual([]);
      expect(operationsOf(without(new Set([0])).program)).toEqual(operationsOf(data).slice(1));
    }
  });
});
