import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decodeToken, encodeToken } from '@rmap-lab/explorer';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { exploreSchema } from '../src/explore-schema.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-explore-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const rmapLab = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: scratch, env: { ...process.env, INIT_CWD: scratch }, encoding: 'utf8' });

/** Runs the command, and interrupts it as soon as it is `time`. */
function interrupted(args: readonly string[], time: () => boolean): Promise<{ status: number | null; stdout: string }> {
  const child = spawn(process.execPath, [main, ...args], { cwd: scratch, env: { ...process.env, INIT_CWD: scratch } });
  let stdout = '';
  child.stdout.on('data', (data) => (stdout += data));
  const watch = setInterval(() => {
    if (!time()) return;
    clearInterval(watch);
    child.kill('SIGINT');
  }, 5);
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout })));
}

const anonVma = import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js');
/** The classic design, without its lock around a moving mremap. */
const source = `import { anonVma } from '${anonVma}';
const base = anonVma();
export default { ...base, name: 'careless', create(services) {
  const rmap = base.create(services);
  rmap.move = undefined;
  return rmap;
} };
`;

function careless(): string {
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

  it('says the same in workers, in shards whose files are joined, and when it goes on from a file', () => {
    const args = ['explore', 'move-x-walk', '--preemptions', '1', '--json'];
    const documentOf = (stdout: string) => {
      const { seconds, steps, ...document } = exploreSchema.parse(JSON.parse(stdout));
      return document;
    };
    const alone = documentOf(rmapLab(...args).stdout);
    expect(documentOf(rmapLab(...args, '--workers', '2').stdout)).toEqual(alone);
    const first = documentOf(rmapLab(...args, '--shard', '1/2', '--resume', 'one.jsonl').stdout);
    expect(first.bound).toContain('shard 1 of 2');
    expect(first.exhausted).toBe(false);
    rmapLab(...args, '--shard', '2/2', '--resume', 'two.jsonl');
    writeFileSync(
      join(scratch, 'both.jsonl'),
      readFileSync(join(scratch, 'one.jsonl')) + readFileSync(join(scratch, 'two.jsonl'), 'utf8'),
    );
    const lines = () => readFileSync(join(scratch, 'both.jsonl'), 'utf8').trim().split('\n').length;
    rmapLab(...args, '--resume', 'both.jsonl');
    const before = lines();
    expect(documentOf(rmapLab(...args, '--resume', 'both.jsonl').stdout)).toEqual(alone);
    expect(lines()).toBe(before);
    const other = rmapLab('explore', 'fork-x-walk', '--resume', 'both.jsonl');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('another exploration');
    expect(rmapLab(...args, '--workers', '2', '--engine', 'brute-force').status).toBe(2);
  }, 60_000);

  it('as one of several shards goes as deep as all together, and leaves them nothing to do', () => {
    const args = ['explore', 'fork-x-migrate', '--workers', '1', '--json'];
    const alone = ['shard-1', 'shard-2'];
    for (const [i, file] of alone.entries()) {
      const { stdout } = rmapLab(...args, '--shard', `${i + 1}/2`, '--resume', file);
      const { bound, schedules } = exploreSchema.parse(JSON.parse(stdout));
      expect(bound).toBe(`shard ${i + 1} of 2, ${schedules} of the schedules with at most 2 preemptions`);
    }
    const lines = alone.map((file) => readFileSync(join(scratch, file), 'utf8')).join('');
    writeFileSync(join(scratch, 'shards'), lines);
    const { bound } = exploreSchema.parse(JSON.parse(rmapLab(...args, '--resume', 'shards').stdout));
    expect(bound).toBe('at most 2 preemptions');
    expect(readFileSync(join(scratch, 'shards'), 'utf8')).toBe(lines);
  });

  it('as a lone shard ends where more preemptions bring nothing more', () => {
    const { stdout } = rmapLab('explore', 'both-write', '--preemptions', '100000', '--shard', '1/2');
    expect(stdout).toMatch(/passes; shard 1 of 2, \d+ of the schedules with at most \d\d? preemptions \(/);
  });

  it.each([
    ['changing', true, false],
    ['changing', false, true],
    ['importing', true, false],
  ])('does not go on from results of another version of the strategy: %s, %s, then %s', (name, ...versions) => {
    writeFileSync(join(scratch, 'importing.mjs'), `export { default } from './changing.mjs';\n`);
    const outcomes = versions.map((right) => {
      writeFileSync(join(scratch, 'changing.mjs'), right ? source.replace('rmap.move = undefined', '') : source);
      const args = ['--strategy', `./${name}.mjs`, '--resume', `${name} ${versions}`, '--workers', '1', '--preemptions', '1'];
      return rmapLab('explore', 'move-and-back-x-walk', ...args);
    });
    expect(outcomes).toMatchObject([{ status: versions[0] ? 0 : 1 }, { status: 2, stdout: '' }]);
    expect(outcomes[1].stderr).toContain('of another version of the strategy');
  });

  it('names the file whose failure passes now, as what the strategy imports from elsewhere has changed', () => {
    const elsewhere = JSON.stringify(pathToFileURL(join(scratch, 'imported.mjs')).href);
    writeFileSync(join(scratch, 'imports.mjs'), `export { default } from ${elsewhere};\n`);
    const [first, second] = [source, source.replace('rmap.move = undefined', '')].map((imported) => {
      writeFileSync(join(scratch, 'imported.mjs'), imported);
      const args = ['--strategy', './imports.mjs', '--resume', 'imports.jsonl', '--engine', 'pct'];
      return rmapLab('explore', 'move-and-back-x-walk', ...args);
    });
    expect(first.status).toBe(1);
    expect(second.status).toBe(2);
    expect(second.stderr).toMatch(
      /^rmap-lab: '.*imports\.jsonl' says that a schedule fails, and it passes now: .*name another file\n$/,
    );
  });

  it('says in a line, and of the strategy, what goes wrong in a worker', () => {
    const adds = source.replace(
      'rmap.move = undefined',
      'let n = 0; const { walk } = rmap; rmap.walk = (...all) => { rmap["x" + ++n] = 1; return walk.apply(rmap, all); }',
    );
    writeFileSync(join(scratch, 'adds.mjs'), adds);
    const { status, stderr } = rmapLab('explore', 'fork-x-walk', '--strategy', './adds.mjs', '--engine', 'pct', '--workers', '1');
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^rmap-lab: a thread added the field 'x1' to a shared .*\n$/)]);
  });

  it('says when it is interrupted in workers which bounds it finished', async () => {
    const file = join(scratch, 'deep.jsonl');
    const args = ['explore', 'fork-x-migrate', '--preemptions', '9', '--workers', '1', '--resume', file, '--json'];
    const { status, stdout } = await interrupted(args, () => existsSync(file) && readFileSync(file, 'utf8').includes('"bound 3'));
    expect(status).toBe(130);
    const { bound, schedules, steps } = exploreSchema.parse(JSON.parse(stdout));
    expect(bound).toMatch(/^at most [2-8] preemptions; with one more, interrupted after \d+ schedules$/);
    expect(schedules).toBeGreaterThan(500);
    expect(steps).toBeGreaterThan(schedules);
  });

  it.each(['bounded', 'dpor', 'state'])('says when it is interrupted without workers what it did by then: %s', async (engine) => {
    const started = join(scratch, `started-${engine}`);
    const says = `let forks = 0; const { fork } = rmap; rmap.fork = (...all) => {
      if (++forks === 50) writeFileSync(${JSON.stringify(started)}, '');
      return fork.apply(rmap, all);
    };`;
    const telling = source.replace('rmap.move = undefined;', says);
    writeFileSync(join(scratch, 'telling.mjs'), `import { writeFileSync } from 'node:fs';\n${telling}`);
    const args = [
      'explore',
      'migrate-x-fork-x-move',
      '--strategy',
      './telling.mjs',
      '--engine',
      engine,
      '--preemptions',
      '9',
      '--json',
    ];
    const { status, stdout } = await interrupted(args, () => existsSync(started));
    expect(status).toBe(130);
    expect(exploreSchema.parse(JSON.parse(stdout))).toMatchObject({
      verdict: 'passes',
      exhausted: false,
      bound: expect.stringMatching(/interrupted after \d+ schedules$/),
    });
  });

  it.each([
    ['--workers', '0'],
    ['--schedules', '0'],
    ['--seconds', '-1'],
  ])('refuses %s %s', (...args) => {
    const { status, stderr } = rmapLab('explore', 'both-write', '--engine', 'pct', ...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/it must be at least 1\n$/)]);
  });

  it.each(['--seed', '--workers'])('refuses more preemptions than a schedule has steps, of pct, with %s', (option) => {
    const pct = ['explore', 'both-write', '--engine', 'pct', '--schedules', '2'];
    expect(rmapLab(...pct, '--preemptions', '5000000000', option, '1')).toMatchObject({
      status: 2,
      stderr: 'error: pct makes fewer than 5000 preemptions, as a schedule has no more steps\n',
    });
    expect(rmapLab(...pct, '--preemptions', '4999', option, '1').status).toBe(0);
  });

  it.each(['2147484', '4294968'])('goes on for %s s, although no timer can', (seconds) => {
    const args = ['explore', 'both-write', '--workers', '1', '--preemptions', '0', '--seconds', seconds];
    expect(rmapLab(...args)).toMatchObject({ status: 0, stdout: expect.stringContaining('at most 0 preemptions') });
    vi.stubEnv('RMAP_LAB_PATIENCE', seconds);
    expect(rmapLab('explore', 'both-write', '--strategy', careless(), '--preemptions', '0').status).toBe(0);
    vi.unstubAllEnvs();
  });

  it('refuses a patience that is no time, and fewer preemptions than none', () => {
    vi.stubEnv('RMAP_LAB_PATIENCE', 'long');
    const { status, stderr } = rmapLab('explore', 'both-write', '--strategy', careless());
    vi.unstubAllEnvs();
    expect([status, stderr]).toEqual([2, "rmap-lab: RMAP_LAB_PATIENCE must be a number of seconds above 0, not 'long'\n"]);
    expect(rmapLab('explore', 'both-write', '--preemptions', '-1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('0 or more'),
    });
  });

  it('says in a line what a strategy may not do', () => {
    const strategy = (name: string, ...changes: [string, string]): string => {
      writeFileSync(join(scratch, name), source.replace(...changes));
      return `./${name}`;
    };
    const free = strategy('free.mjs', "name: 'careless'", "name: 'free', state: 'free'");
    const untraceable = rmapLab('explore', 'write-x-walk', '--strategy', free, '--engine', 'dpor');
    expect([untraceable.status, untraceable.stderr]).toEqual([2, expect.stringMatching(/^rmap-lab: .*'free'.*\n$/)]);
    const adds =
      'rmap.box = new (class {})(); const { walk } = rmap; rmap.walk = (...all) => { rmap.box.more = 1; return walk.apply(rmap, all); };';
    const adding = strategy('adding.mjs', 'rmap.move = undefined;', adds);
    for (const workers of [[], ['--workers', '1']]) {
      const unrestorable = rmapLab('explore', 'write-x-walk', '--strategy', adding, ...workers);
      expect([unrestorable.status, unrestorable.stderr]).toEqual([2, expect.stringMatching(/^rmap-lab: .* field 'more' .*\n$/)]);
    }
  });

  it('names the file that can not be used for results', () => {
    for (const [file, reason] of [
      ['/dev', 'EISDIR: illegal operation on a directory'],
      ['/dev/null/x', 'ENOTDIR: not a directory'],
      ['/nonexistent/x', 'ENOENT: no such file or directory'],
    ])
      expect(rmapLab('explore', 'both-write', '--resume', file)).toMatchObject({
        status: 2,
        stderr: `rmap-lab: '${file}': ${reason}\n`,
      });
  });

  it('names all scenarios, and refuses others', () => {
    expect(rmapLab('explore', '--list').stdout).toMatch(/^move-x-migrate {2}.+, while migration/m);
    const { status, stderr } = rmapLab('explore', 'nonsense');
    expect(status).toBe(2);
    expect(stderr).toContain("no scenario 'nonsense'");
    expect(rmapLab('explore').status).toBe(2);
  });

  it('fails with a token that replays, and shows the schedule', () => {
    const strategy = careless();
    const files = ['--svg', 'moves.svg', '--html', 'moves.html'];
    const { status, stdout } = rmapLab('explore', 'move-and-back-x-walk', '--strategy', strategy, '--json', ...files);
    expect(status).toBe(1);
    const { failure } = exploreSchema.parse(JSON.parse(stdout));
    expect(failure).toMatchObject({ rule: 'R18' });
    expect(failure?.operations).toBeLessThanOrEqual(9);
    expect(readFileSync(join(scratch, 'moves.svg'), 'utf8')).toContain('<svg ');
    expect(readFileSync(join(scratch, 'moves.html'), 'utf8')).toContain(failure?.token ?? '');
    const again = rmapLab('replay', failure?.token ?? '');
    expect(again.status).toBe(1);
    expect(again.stdout).toContain('R18 is broken');
    expect(again.stdout).toContain('pte move');
    expect(again.stdout).toContain(`${failure?.operations} operations`);
    const people = rmapLab('explore', 'move-and-back-x-walk', '--strategy', strategy);
    expect(people.stdout).toContain('rmap-lab replay rx2.');
    const right = rmapLab('replay', failure?.token ?? '', '--strategy', 'anon-vma');
    expect(right.status).toBe(2);
    const wrong = rmapLab('replay', encodeToken({ ...decodeToken(failure?.token ?? ''), rule: 'R99' }));
    expect(wrong.stdout).toContain("another rule is broken than the token's, R99: R18 is broken");
    expect(right.stderr).toMatch(/diverged at step .* it was recorded under '.*', and this is 'anon-vma'/);
  });

  it('refuses a damaged token', () => {
    const { status, stderr } = rmapLab('replay', 'rx1.zzz');
    expect(status).toBe(2);
    expect(stderr).toContain('damaged');
  });
});
