import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { preset } from './stryker.js';

/**
 * Mutation testing of the package in whose folder this runs: one source file after the other, as Stryker writes what it found only at
 * its end, and that may be hours away. A file that is done stays done until all are: whoever stops this and starts it again goes on.
 * Stryker keeps the results of the other files, so the last table and report are those of the whole package.
 */
const { incrementalFile, mutate } = preset(basename(process.cwd()));
const underWay = `${dirname(incrementalFile)}/under-way.json`;
const files = readdirSync('src', { recursive: true })
  .map((file) => `src/${file}`)
  .filter((file) => file.endsWith('.ts') && !mutate.includes(`!${file}`))
  .sort();
const done = existsSync(underWay) ? JSON.parse(readFileSync(underWay, 'utf8')) : [];
const left = files.filter((file) => !done.includes(file));

mkdirSync(dirname(underWay), { recursive: true });
for (const [i, file] of left.entries()) {
  console.log(`${basename(process.cwd())}: ${file}, ${done.length + 1} of ${files.length}`);
  const last = i === left.length - 1;
  const reporters = ['progress-append-only', 'json', 'html', ...(last ? ['clear-text'] : [])].join();
  const { status } = spawnSync('stryker', ['run', '--mutate', file, '--reporters', reporters], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  done.push(file);
  writeFileSync(underWay, JSON.stringify(done));
}
rmSync(underWay, { force: true });
