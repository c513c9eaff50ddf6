import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { answerOf } from '../src/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'answer-of-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A process that does this. */
const child = (code: string, signal?: AbortSignal) => {
  const file = join(mkdtempSync(join(scratch, 'child-')), 'child.mjs');
  writeFileSync(file, code);
  return fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [], ...(signal && { signal }) });
};

/** Every number is the answer; words are none. */
const talk = (heard: unknown[] = []) => ({
  hear: (message: number | string) => {
    heard.push(message);
    return typeof message === 'number' ? message : undefined;
  },
  ended: (how: string) => new Error(`ended: ${how}`),
});
const lost = () => new Error('silent');

test('tells the task, hears messages until one is the answer, and ends the process', async () => {
  const heard: unknown[] = [];
  const process = child(`
    process.on('message', (task) => { for (const each of ['one', task]) process.send(each); });
    setInterval(() => {}, 1000);`);
  expect(await answerOf(process, { ...talk(heard), task: 0 })).toBe(0);
  expect(heard).toEqual(['one', 0]);
  await vi.waitUntil(() => process.signalCode !== null);
  expect(process.signalCode).toBe('SIGKILL');
});

// Where both were there to be read, the second was heard as well.
test('hears nothing after the answer', async () => {
  const heard: unknown[] = [];
  const process = child('process.send(1); process.send(2); setInterval(() => {}, 1000);');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  expect(await answerOf(process, talk(heard))).toBe(1);
  expect(heard).toEqual([1]);
});

test('hears what was said before the process ended', async () => {
  const process = child("process.send('one', () => process.send(2, () => process.exit(0)))");
  expect(await answerOf(process, talk())).toBe(2);
});

test.each([
  ['process.exit(3)', 'ended: exit status 3'],
  ["process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", 'ended: SIGTERM'],
  ["process.send('one')", 'ended: exit status 0'],
])('says how it ended without an answer: %s', async (code, message) => {
  await expect(answerOf(child(code), talk())).rejects.toThrow(message);
});

test('waits as long as it says something, and not for one that hangs', { timeout: 30_000 }, async () => {
  const chatty = child("let n = 0; setInterval(() => process.send(++n < 15 ? 'not yet' : n), 100)");
  expect(await answerOf(chatty, { ...talk(), patience: { seconds: 1, lost } })).toBe(15);
  const hanging = child("process.send('one'); for (;;);");
  await expect(answerOf(hanging, { ...talk(), patience: { seconds: 1, lost } })).rejects.toThrow('silent');
  await vi.waitUntil(() => hanging.signalCode === 'SIGKILL');
});

test('waits for ever with more patience than a timer has', async () => {
  const process = child('setTimeout(() => process.send(1), 100)');
  expect(await answerOf(process, { ...talk(), patience: { seconds: 1e9, lost } })).toBe(1);
});

test('throws what hearing throws', async () => {
  const process = child("process.send('one'); setInterval(() => {}, 1000)");
  const hear = () => {
    throw new RangeError('what is that?');
  };
  await expect(answerOf(process, { ...talk(), hear })).rejects.toThrow('what is that?');
  await vi.waitUntil(() => process.signalCode === 'SIGKILL');
});

test('throws what ends it from outside', async () => {
  const process = child('setInterval(() => {}, 1000)', AbortSignal.timeout(100));
  await expect(answerOf(process, talk())).rejects.toThrow(/abort/);
});
