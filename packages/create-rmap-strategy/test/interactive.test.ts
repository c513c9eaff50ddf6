import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'create-rmap-strategy-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** `script` of util-linux gives a program a terminal. */
const hasTerminal = /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString() ?? '');

const ENTER = '\r';
const DOWN = '\x1b[B';
const INTERRUPT = '\x03';

/** Runs the command in a terminal and types each answer once its question is there. */
function typed(
  answers: readonly (readonly [question: string, keys: string])[],
  args = '',
): Promise<{ status: number | null; shown: string }> {
  const child = spawn('script', ['-qec', `stty cols 120 rows 40; exec '${process.execPath}' '${main}' ${args}`, '/dev/null'], {
    cwd: scratch,
    env: { ...process.env, INIT_CWD: scratch, TERM: 'xterm', CI: '' },
    timeout: 20_000,
  });
  const waiting = [...answers];
  let shown = '';
  let unread = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    unread += text;
    const [question, keys] = waiting[0] ?? [];
    if (question === undefined || keys === undefined || !unread.includes(question)) return;
    waiting.shift();
    unread = '';
    child.stdin.write(keys);
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, shown })));
}

const manifestOf = (name: string): unknown => JSON.parse(readFileSync(join(scratch, name, 'package.json'), 'utf8'));

describe.runIf(hasTerminal)('create-rmap-strategy in a terminal', { timeout: 30_000 }, () => {
  it('asks for name, template and description, and writes what was answered', async () => {
    const { status, shown } = await typed([
      ['What is the package called?', `asked-for${ENTER}`],
      ['What should it start from?', `${DOWN}${ENTER}`],
      ['What is the design, in a sentence?', `Looks twice.${ENTER}`],
    ]);
    expect([status, shown]).toEqual([0, expect.stringContaining(`asked-for is in ${join(scratch, 'asked-for')}`)]);
    expect(manifestOf('asked-for')).toMatchObject({ name: 'asked-for', description: 'Looks twice.' });
    expect(readFileSync(join(scratch, 'asked-for/src/strategy.ts'), 'utf8')).not.toContain('TODO');
  });

  it('says what is wrong with a name and asks again', async () => {
    const { status, shown } = await typed([
      ['What is the package called?', `a b${ENTER}`],
      ["'a b'", `\x7f\x7f\x7fbetter${ENTER}`],
      ['What should it start from?', ENTER],
      ['What is the design, in a sentence?', ENTER],
    ]);
    expect([status, shown]).toEqual([0, expect.stringContaining('better is in')]);
    expect(manifestOf('better')).toMatchObject({ description: 'A reverse-map design for rmap-lab.' });
  });

  it('asks for what was not said alone', async () => {
    const { status, shown } = await typed([['What should it start from?', ENTER]], 'said --description "Said already."');
    expect([status, shown]).toEqual([0, expect.not.stringContaining('called?')]);
    expect(manifestOf('said')).toMatchObject({ description: 'Said already.' });
  });

  it('writes nothing when it is interrupted', async () => {
    const { status, shown } = await typed([
      ['What is the package called?', `given-up${ENTER}`],
      ['What should it start from?', INTERRUPT],
    ]);
    expect([status, shown]).toEqual([130, expect.stringContaining('Nothing was written.')]);
    expect(existsSync(join(scratch, 'given-up'))).toBe(false);
  });
});
