import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { BadStore, BadSweep, type Cell, cellId, cellsOf, inShard, parseSweep, ResultStore } from '../src/index.js';
import { withContents } from '../src/sweep/contents.js';

const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-sweep-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const GRID = {
  strategies: ['a', 'b'],
  workloads: [{ workload: 'fork-chain', parameters: { depth: [1, 2], vmas: 3 } }, { workload: 'zygote' }],
  seeds: [1, 2],
};
const spec = parseSweep(JSON.stringify(GRID), 'grid.json');

describe('a grid', () => {
  test('is every combination, once', () => {
    const cells = cellsOf(spec);
    expect(cells).toHaveLength(2 * 2 * (2 + 1));
    expect(new Set(cells.map(cellId)).size).toBe(cells.length);
    expect(cells[0]).toEqual({ strategy: 'a', workload: 'fork-chain', parameters: { depth: 1, vmas: 3 }, seed: 1 });
  });

  test('runs no cell twice that it names twice', () => {
    const [fork, zygote] = GRID.workloads;
    const twice = {
      ...GRID,
      strategies: ['a', 'b', 'a'],
      seeds: [1, 2, 1],
      workloads: [fork, fork, zygote, { ...zygote, parameters: {} }],
    };
    expect(cellsOf(parseSweep(JSON.stringify(twice), 'grid.json'))).toEqual(cellsOf(spec));
    const again = { ...GRID, workloads: [{ workload: 'fork-chain', parameters: { vmas: [3, 3], depth: [1, 2, 1] } }, zygote] };
    expect(cellsOf(parseSweep(JSON.stringify(again), 'grid.json')).map(cellId)).toEqual(cellsOf(spec).map(cellId));
  });

  test('is cut into shards that have every cell once', () => {
    for (const count of [1, 2, 5]) {
      const places = cellsOf(spec).map(
        (cell) => Array.from({ length: count }, (_, i) => inShard(cell, i + 1, count)).filter(Boolean).length,
      );
      expect(new Set(places)).toEqual(new Set([1]));
    }
  });

  test('names a cell alike however its parameters are ordered', () => {
    const cell = { strategy: 'a', workload: 'w', seed: 1 };
    expect(cellId({ ...cell, parameters: { x: 1, y: 2 } })).toBe(cellId({ ...cell, parameters: { y: 2, x: 1 } }));
  });

  test('counted with other object sizes is another grid, and keeps the names of its cells without', () => {
    const layout = { vm_area_struct: 256, mm_struct: 1600, anon_vma: 104, anon_vma_chain: 64 };
    const [plain] = cellsOf(spec);
    const [other] = cellsOf(spec, layout);
    expect(other).toEqual({ ...plain, layout });
    expect(cellId(other)).not.toBe(cellId(plain));
    expect(cellId({ ...plain, layout: { ...layout, anon_vma: 112 } })).not.toBe(cellId(other));
  });

  test('with a file that holds something else has another cell', () => {
    const [plain] = cellsOf(spec);
    const [one, other] = ['one', 'other'].map((contents) => ({ ...plain, contents }));
    expect(new Set([plain, one, other].map(cellId)).size).toBe(3);
  });

  test('has other cells as soon as what measures them is another, in the same shards', async () => {
    const module = join(scratch, 'mine.mjs');
    const shortNames = { a: pathToFileURL(module).href };
    const [plain] = cellsOf(spec);
    const withModule = async (text: string): Promise<Cell> => {
      writeFileSync(module, text);
      const [cell] = await withContents([plain], { shortNames, from: scratch });
      return cell;
    };
    const [one, same, other] = [await withModule('1;'), await withModule('1;'), await withModule('2;')];
    expect(cellId(same)).toBe(cellId(one));
    expect(cellId(other)).not.toBe(cellId(one));
    const shardOf = (cell: Cell) => [1, 2, 3, 4, 5].find((index) => inShard(cell, index, 5));
    expect(shardOf(other)).toBe(shardOf(one));
  });

  test.each([
    ['{', /grid.json: not JSON/],
    ['{"strategies":[],"workloads":[]}', /grid.json: strategies/],
    ['{"strategies":["a"],"workloads":[{"workload":"w","parameters":{"n":[0]}}]}', /grid.json: workloads.0.parameters.n/],
    ['{"strategies":["a"],"workloads":[{"workload":"w"}],"seed":1}', /seed/],
  ])('is refused with the field that is wrong: %s', (text, message) => {
    expect(() => parseSweep(text, 'grid.json')).toThrow(BadSweep);
    expect(() => parseSweep(text, 'grid.json')).toThrow(message);
  });
});

describe('a result store', () => {
  const [one, two] = cellsOf(spec);
  const outcome = { status: 'threw', blame: "strategy 'a'" } as const;

  test('has after a restart what was appended', () => {
    const file = join(scratch, 'kept.jsonl');
    const store = new ResultStore(file);
    store.append(one, outcome);
    store.close();
    const again = new ResultStore(file);
    expect(again.resultOf(one)).toEqual({ id: cellId(one), cell: one, outcome });
    expect(again.resultOf(two)).toBeUndefined();
    again.close();
  });

  test('drops a last line that a crash tore, and goes on behind it', () => {
    const file = join(scratch, 'torn.jsonl');
    const store = new ResultStore(file);
    store.append(one, outcome);
    store.close();
    appendFileSync(file, '{"id":"12');
    const again = new ResultStore(file);
    again.append(two, outcome);
    again.close();
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    const last = new ResultStore(file);
    expect(last.results).toHaveLength(2);
    last.close();
  });

  test('belongs to one process at a time, and to the next when that was killed', () => {
    const file = join(scratch, 'shared.jsonl');
    const first = new ResultStore(file);
    expect(() => new ResultStore(file)).toThrow(/process \d+ is writing to it/);
    first.close();
    writeFileSync(`${file}.lock`, '999999999');
    const second = new ResultStore(file);
    second.append(one, outcome);
    second.close();
    new ResultStore(file).close();
  });

  test('refuses a file that is something else, naming the line', () => {
    const file = join(scratch, 'other.jsonl');
    writeFileSync(file, 'hello\n');
    expect(() => new ResultStore(file)).toThrow(BadStore);
    expect(() => new ResultStore(file)).toThrow(/line 1 is no result/);
  });

  test.each(['my own notes', 'hello\n{"id":"12'])('leaves a file that is something else as it is: %j', (text) => {
    const file = join(scratch, 'notes.jsonl');
    writeFileSync(file, text);
    expect(() => new ResultStore(file)).toThrow(BadStore);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
