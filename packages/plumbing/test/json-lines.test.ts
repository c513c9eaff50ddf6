import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { JsonLines, type LineForm } from '../src/index.js';

interface Row {
  readonly name: string;
}

const scratch = mkdtempSync(join(tmpdir(), 'json-lines-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const file = join(scratch, 'rows.jsonl');
beforeEach(() => rmSync(file, { force: true }));

const form: LineForm<Row> = {
  beginning: () => '{"name":"',
  isRow: ({ name }) => typeof name === 'string',
  refusal: (line, text) => new RangeError(`${line}: ${text}`),
  busy: (how) => new RangeError(how),
};
const open = (): JsonLines<Row> => new JsonLines<Row>(file, form);
const text = (): string => readFileSync(file, 'utf8');
const line = (name: string): string => `${JSON.stringify({ name })}\n`;

test('without a file there are no rows, and reading makes none', () => {
  expect(open().rows).toEqual([]);
  expect(existsSync(file)).toBe(false);
});

test('has the next time what was added, also after it was closed', () => {
  const rows = open();
  rows.add({ name: 'one' });
  rows.close();
  rows.add({ name: 'zwölf' });
  rows.close();
  expect(text()).toBe(line('one') + line('zwölf'));
  expect(open().rows).toEqual([{ name: 'one' }, { name: 'zwölf' }]);
});

const torn = Buffer.from(line('zwölf'));

test.each([1, 5, 9, torn.indexOf('ö') + 1, torn.length - 1])('drops a last line of which %d bytes are there', (length) => {
  const before = Buffer.concat([Buffer.from(line('äpfel')), torn.subarray(0, length)]);
  writeFileSync(file, before);
  const rows = open();
  expect(rows.rows).toEqual([{ name: 'äpfel' }]);
  expect(readFileSync(file)).toEqual(before);
  rows.add({ name: 'two' });
  rows.close();
  // Once alone: what was added stays.
  rows.add({ name: 'three' });
  rows.close();
  expect(text()).toBe(line('äpfel') + line('two') + line('three'));
});

test('drops what was torn when it is opened, if nothing is added', () => {
  writeFileSync(file, `${line('one')}{"na`);
  const rows = open();
  rows.open();
  rows.close();
  expect(text()).toBe(line('one'));
});

test.each([
  ['my own notes', 1],
  ['{"nam":1}', 1],
  ['\n', 1],
  [`${line('one')}my own notes`, 2],
  [`${line('one')}{"name":"tw\n${line('three')}`, 2],
  [`${line('one')}null\n`, 2],
  [`${line('one')}{"name":2}\n{"na`, 2],
])('refuses what is not ours, naming the line, and leaves it as it is: %j', (foreign, number) => {
  writeFileSync(file, foreign);
  expect(open).toThrow(RangeError);
  expect(open).toThrow(new RegExp(`^${number}: `));
  expect(text()).toBe(foreign);
});

test('of each line it is said by its number how it begins and what it is', () => {
  const headed = (): JsonLines<Row> =>
    new JsonLines<Row>(file, {
      ...form,
      beginning: (number) => (number === 1 ? '{"name":"head"}' : '{'),
      isRow: ({ name }, number) => name !== 'head' || number === 1,
      refusal: (number) => new RangeError(`line ${number}`),
    });
  for (const good of ['{"name":"he', line('head'), `${line('head')}{"x`]) {
    writeFileSync(file, good);
    expect(headed().rows).toEqual(good.includes('\n') ? [{ name: 'head' }] : []);
  }
  writeFileSync(file, '{"name":"one');
  expect(headed).toThrow('line 1');
  writeFileSync(file, line('head') + line('head'));
  expect(headed).toThrow('line 2');
});

test('what the file system says is thrown, and names the file that was asked for', () => {
  expect(() => new JsonLines(scratch, form)).toThrow(`'${scratch}': EISDIR: illegal operation on a directory`);
  const nowhere = join(scratch, 'nowhere', 'rows.jsonl');
  const opened = () => new JsonLines<Row>(nowhere, form).open();
  expect(opened).toThrow(
    expect.objectContaining({ syscall: 'open', message: `'${nowhere}': ENOENT: no such file or directory` }),
  );
});

test('keeps two processes apart, and takes over from one that was killed', () => {
  const rows = open();
  rows.add({ name: 'one' });
  const others = open();
  expect(() => others.add({ name: 'two' })).toThrow(`process ${process.pid} is writing to it`);
  rows.close();
  others.add({ name: 'two' });
  others.close();
  // A number that no process has.
  writeFileSync(`${file}.lock`, String(2 ** 30));
  const later = open();
  later.add({ name: 'three' });
  later.close();
  expect(text()).toBe(line('one') + line('two') + line('three'));
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('adds nothing to a file that another process added to since it was read', () => {
  const rows = open();
  const others = open();
  others.add({ name: 'two' });
  others.close();
  expect(() => rows.add({ name: 'one' })).toThrow('another process wrote to it just now');
  expect(text()).toBe(line('two'));
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('a file that can not be opened is left free for others', () => {
  const rows = new JsonLines<Row>(join(scratch, 'taken'), form);
  mkdirSync(join(scratch, 'taken'));
  expect(() => rows.open()).toThrow(/EISDIR/);
  expect(existsSync(join(scratch, 'taken.lock'))).toBe(false);
});

/** Empty for a moment, it was taken for the lock of somebody who was killed, and a second process wrote to the file, too. */
test('the file that says who writes is there with a number, or not at all', async () => {
  const watcher = join(scratch, 'watcher.mjs');
  writeFileSync(
    watcher,
    `import { readFileSync } from 'node:fs';
     let [seen, empty] = [0, 0];
     process.on('message', () => process.send([seen, empty], () => process.exit()));
     const look = () => {
       for (let i = 0; i < 1000; i++) try { if (readFileSync(process.argv[2], 'utf8') === '') empty++; seen++; } catch {}
       setImmediate(look);
     };
     look();
     process.send('ready');`,
  );
  const child = fork(watcher, [`${file}.lock`], { execArgv: [] });
  await once(child, 'message');
  const rows = open();
  for (const end = Date.now() + 2000; Date.now() < end; ) {
    rows.open();
    rows.close();
  }
  child.send('how many?');
  const [[seen, empty]] = (await once(child, 'message')) as [[number, number]];
  expect(seen).toBeGreaterThan(100);
  expect(empty).toBe(0);
});
