import { afterEach, expect, test, vi } from 'vitest';
import { watched } from '../src/progress.js';

const { isTTY } = process.stderr;
afterEach(() => {
  process.stderr.isTTY = isTTY;
  vi.restoreAllMocks();
});

// A handler of the bar's once kept Ctrl-C waiting until a row was over, and nothing put the terminal back after an error.
test('a row on a terminal shows its rounds, leaves Ctrl-C alone, and its bar is gone after an error', async () => {
  let shown = '';
  process.stderr.isTTY = true;
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    shown += text;
    return true;
  });
  const before = process.listenerCount('SIGINT');
  const row = watched('fork.pte', (onRound) => {
    onRound(3, 12);
    expect(process.listenerCount('SIGINT')).toBe(before);
    throw new RangeError('the work had no effect');
  });
  await expect(row).rejects.toThrow('no effect');
  expect(shown).toContain('fork.pte');
  expect(shown).toMatch(/round 3 of 12/);
  expect(shown.slice(shown.lastIndexOf('round'))).toContain('\u001b[2K');
  expect(shown).not.toContain('\u001b[?7l');
});
