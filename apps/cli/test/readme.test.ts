import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { rmapLab } from './command.js';

it('what the README says that npm start prints is what it prints, less some sections', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, told = ''] = /```text\n(.*?)```/s.exec(readme) ?? [];
  const { out } = await rmapLab(['compare', '--workload', 'shell-pipeline']);
  const printed = out.split('\n');
  let from = 0;
  for (const line of told.trimEnd().split('\n')) {
    const at = printed.indexOf(line, from);
    expect(at, `not printed, or not there: ${line}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
  expect(from).toBeGreaterThan(50);
});
