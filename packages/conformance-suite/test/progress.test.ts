import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { watched } from '../src/progress.js';
import { runApart, StrategyUnusable } from '../src/run-apart.js';

const strategy = fileURLToPath(new URL('../../strategy-anon-vma/dist/index.js', import.meta.url));
const run = (name: string, onBegin?: (id: string, done: number, of: number) => void) =>
  runApart(name, { from: process.cwd(), grep: 'families/fork', ...(onBegin && { onBegin }) });

const { isTTY } = process.stderr;
afterEach(() => {
  process.stderr.isTTY = isTTY;
  vi.restoreAllMocks();
});

/** What is written to standard error meanwhile. */
function listened(): () => string {
  let shown = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    shown += text;
    return true;
  });
  return () => shown;
}

test('a run tells of every case that begins', async () => {
  const begun: unknown[] = [];
  const { results } = await run(strategy, (...what) => begun.push(what));
  expect(results.length).toBeGreaterThan(2);
  expect(begun).toEqual(results.map(({ id }, i) => [id, i, results.length]));
});

test('a terminal shows them, Ctrl-C is left alone, and the bar is gone after an error', async () => {
  process.stderr.isTTY = true;
  const shown = listened();
  const before = process.listenerCount('SIGINT');
  const ended = watched(async (onBegin) => {
    onBegin('families/fork', 3, 12);
    expect(process.listenerCount('SIGINT')).toBe(before);
    throw new StrategyUnusable('it hangs');
  });
  await expect(ended).rejects.toThrow('it hangs');
  expect(shown()).toContain('3 of 12 families/fork');
  expect(shown().slice(shown().lastIndexOf('12'))).toContain('\u001b[2K');
  expect(shown()).not.toContain('\u001b[?7l');
});

test('whatever is no terminal shows nothing', async () => {
  process.stderr.isTTY = false;
  const shown = listened();
  await watched(async (onBegin) => onBegin('families/fork', 0, 12));
  expect(shown()).toBe('');
});
