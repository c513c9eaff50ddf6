import { describe, expect, it } from 'vitest';
import { Lab } from './lab.js';

const VMAS = 5;
/** VMAs that can share nothing, each with one page. */
const family = [...Array(VMAS).keys()].map((i) => `map ${10 * i}-${10 * i + 2}; write ${10 * i}`).join('; ');

function objects(lab: Lab): [anonVmas: number, links: number] {
  const { slab } = lab.kernel.stats();
  return [slab.anon_vma.live, slab.anon_vma_chain.live];
}

/** What a walk for a page of process 0 visits. */
function walkCost(lab: Lab): number {
  const [folio] = lab.kernel.folios();
  return lab.kernel.walk(folio).candidates;
}

describe('a family of processes', () => {
  it.each([1, 2, 8])('of %i siblings has V(1+N) anon_vmas, V(1+2N) links and walks of 1+N visits', (siblings) => {
    const lab = new Lab();
    lab.run(family + '; fork'.repeat(siblings));
    expect(objects(lab)).toEqual([VMAS * (1 + siblings), VMAS * (1 + 2 * siblings)]);
    expect(walkCost(lab)).toBe(1 + siblings);
  });

  it.each([1, 2, 8])('in a line of depth %i, all alive, has V(1+D) anon_vmas and V(D+1)(D+2)/2 links', (depth) => {
    const lab = new Lab();
    lab.run(family);
    for (let i = 0; i < depth; i++) lab.run(`${i}: fork`);
    expect(objects(lab)).toEqual([VMAS * (1 + depth), (VMAS * (depth + 1) * (depth + 2)) / 2]);
    expect(walkCost(lab)).toBe(1 + depth);
  });

  it('whose ancestors die, all but the first, keeps chains of at most three links', () => {
    const lab = new Lab();
    lab.run('map 10-12; write 10; fork');
    for (let i = 1; i < 20; i++) lab.run(`${i}: fork; ${i}: exit`);
    const chain = /\[(.*)\]/.exec(lab.run('20: vmas'))?.[1].split(' ');
    expect(chain?.length).toBeLessThanOrEqual(3);
    expect(objects(lab)[0]).toBeLessThanOrEqual(3);
  });

  it('takes over an anon_vma with one child that nobody calls his own, the oldest first', () => {
    const lab = new Lab();
    expect(lab.run('map 10-12; write 10; fork; 1: fork; 2: fork; 1: exit; 2: exit; A1; A2; 3: fork; 4: vmas')).toBe(
      'A1(1,0,1)^A0 A2(1,0,1)^A1 10-12:A1@10[A3 A2 A1 A0]',
    );
  });

  it('leaves an anon_vma with two children alone', () => {
    const lab = new Lab();
    expect(lab.run('map 10-12; write 10; fork; 1: fork; 1: fork; 1: exit; A1; 2: fork; 4: vmas')).toBe(
      'A1(2,0,1)^A0 10-12:A4@10[A4 A2 A1 A0]',
    );
  });

  it('of whom everybody wrote everything is still visited by walks for the oldest pages', () => {
    const lab = new Lab();
    lab.run('map 10-12; write 10; fork; fork; 1: write 10; 2: write 10');
    expect(walkCost(lab)).toBe(3);
    expect(lab.run('mapcount 10')).toBe('1');
  });
});
