import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { exploreSchema } from '../src/explore-schema.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-explore-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const rmapLab = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: scratch, env: { ...process.env, INIT_CWD: scratch }, encoding: 'utf8' });

/** The classic design, without its lock around a moving mremap. */
function careless(): string {
  const anonVma = import.meta.resolve('@rmap-lab/strategy-anon-vma');
  const source = `import { anonVma } from '${anonVma.replace('/src/index.ts', '/dist/index.js')}';
const base = anonVma();
export default { ...base, name: 'careless', create(services) {
  const rmap = base.create(services);
  rmap.move = undefined;
  return rmap;
} };
`;
  writeFileSync(join(scratch, 'careless.mjs'), source);
  return './careless.mjs';
}

describe('rmap-lab explore', () => {
  it('prints one JSON document that fits the schema', () => {
    const { status, stdout } = rmapLab('explore', 'fork-x-walk', '--strategy', 'anon-vma', '--preemptions', '1', '--json');
    expect(status).toBe(0);
    const document = exploreSchema.parse(JSON.parse(stdout));
    expect(document).toMatchObject({
      scenario: 'fork-x-walk',
      strategy: 'anon-vma',
      engine: 'bounded',
      verdict: 'passes',
      bound: 'at most 1 preemptions',
      failure: null,
    });
    expect(document.schedules).toBeGreaterThan(10);
  });

  it('names all scenarios, and refuses others', () => {
    expect(rmapLab('explore', '--list').stdout).toContain('\nmove-x-migrate\n');
    const { status, stderr } = rmapLab('explore', 'nonsense');
    expect(status).toBe(2);
    expect(stderr).toContain("no scenario 'nonsense'");
    expect(rmapLab('explore').status).toBe(2);
  });

  it('fails with a token that replays, and shows the schedule', () => {
    const strategy = careless();
    const { status, stdout } = rmapLab('explore', 'move-and-back-x-split', '--strategy', strategy, '--json');
    expect(status).toBe(1);
    const { failure } = exploreSchema.parse(JSON.parse(stdout));
    expect(failure).toMatchObject({ rule: 'R17', operations: 2 });
    const again = rmapLab('replay', failure?.token ?? '');
    expect(again.status).toBe(1);
    expect(again.stdout).toContain('R17 broken');
    expect(again.stdout).toContain('pte move');
    const people = rmapLab('explore', 'move-and-back-x-split', '--strategy', strategy);
    expect(people.stdout).toContain('rmap-lab replay rx1.');
    const right = rmapLab('replay', failure?.token ?? '', '--strategy', 'anon-vma');
    expect(right.status).toBe(2);
    expect(right.stderr).toContain('diverged at step');
  });

  it('refuses a damaged token', () => {
    const { status, stderr } = rmapLab('replay', 'rx1.zzz');
    expect(status).toBe(2);
    expect(stderr).toContain('damaged');
  });
});
