import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const globals = new URL('../dist/globals.js', import.meta.url).href;
const anonVma = new URL('../../strategy-anon-vma/dist/index.js', import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), 'rmap-conformance-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, {
    cwd: scratch,
    env: { ...process.env, INIT_CWD: scratch, NO_COLOR: '1' },
    encoding: 'utf8',
  });
const file = (name: string, text: string): string => {
  writeFileSync(join(scratch, name), text);
  return `./${name}`;
};
const right = file('right.mjs', `export { anonVma } from '${anonVma}';\n`);
const wrong = file(
  'wrong.mjs',
  `import { anonVma } from '${anonVma}';
const base = anonVma();
export default { ...base, name: 'forgets-forks', create: (services) => Object.assign(base.create(services), { fork() {} }) };
`,
);

describe('rmap-conformance', () => {
  it('answers 0 for a strategy that conforms', () => {
    const { status, stdout } = node(main, right, '--level', 'contract', 'scale');
    expect(stdout).toContain('anon-vma conforms');
    expect(status).toBe(0);
  });

  it('answers 1 for one that does not, and shows rule, program and command', () => {
    const { status, stdout } = node(main, wrong, '--grep', 'families/fork');
    expect(status).toBe(1);
    for (const text of [
      'forgets-forks does not conform',
      'R17: ',
      "op: 'fork'",
      `rmap-conformance ${wrong} --grep families/fork`,
      'address spaces before:',
      'page A: expected process 1 at 12, process 2 at 12; found process 1 at 12',
    ])
      expect(stdout).toContain(text);
    expect(node(main, wrong, '--grep', 'families/fork', '--seed', '7').stdout).toContain(
      `${wrong} --seed 7 --grep families/fork`,
    );
  });

  it('prints JSON, TAP, JUnit and Markdown', () => {
    const print = (reporter: string): string => node(main, wrong, '--grep', 'families/fork', '--reporter', reporter).stdout;
    const document = JSON.parse(print('json')) as {
      schema: string;
      score: { failed: number };
      cases: { id: string; outcome: string }[];
    };
    expect(document).toMatchObject({ schema: 'rmap-lab/conformance@1', strategy: 'forgets-forks', contract: 1 });
    expect(document.cases.find(({ id }) => id === 'families/fork')?.outcome).toBe('failed');
    expect(document.score.failed).toBeGreaterThan(0);
    expect(print('tap')).toMatch(/^TAP version 14\n1\.\.\d+\nnot ok 1 - families\/fork: /);
    expect(print('junit')).toMatch(/<testsuite name="families" tests="\d+" failures="[1-9]/);
    expect(print('markdown')).toContain('#### families/fork');
  });

  it('answers 2 for a package that is not there, breaks down, or hangs, and names it', () => {
    const missing = node(main, 'no-such-strategy');
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining("strategy 'no-such-strategy'")]);
    const leaves = node(main, file('leaves.mjs', 'process.exit(0);\n'));
    expect([leaves.status, leaves.stderr]).toEqual([2, expect.stringContaining('leaves.mjs')]);
    const hangs = node(main, file('hangs.mjs', 'for (;;);\n'), '--seconds', '2');
    expect([hangs.status, hangs.stderr]).toEqual([2, expect.stringContaining('more than 2 s')]);
    expect(node(main, right, '--grep', 'no such case').status).toBe(2);
  });

  it('waits for a case as long as it is told, also longer than a timer can', () => {
    expect(node(main, right, '--grep', 'families/fork', '--seconds', '2147484')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('the adapter for runners with globals', () => {
  it('without a global describe and it there is a clear error', () => {
    const alone = file('alone.mjs', `import { conformance } from '${globals}';\nconformance({ name: 'x' });\n`);
    expect(node(alone).stderr).toContain("no global 'describe' and 'it'");
  });
});
