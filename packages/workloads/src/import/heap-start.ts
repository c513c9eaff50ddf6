import type { BodyRecord, ExecRecord } from '../format.js';

/**
 * Tells each exec where its heap ends, which the first brk after it answers: programs ask for that before they change it. One that
 * changes it at once, or never asks, leaves it unknown.
 */
export async function* tellHeaps(records: AsyncIterable<BodyRecord>): AsyncGenerator<BodyRecord> {
  /** Records from the first exec on that waits for its answer: their order stays. */
  const held: BodyRecord[] = [];
  const waiting = new Map<number, number>();
  for await (const record of records) {
    const at = 'process' in record ? waiting.get(record.process) : undefined;
    if (at !== undefined && settles(record)) {
      waiting.delete((held[at] as ExecRecord).process);
      held[at] = { ...(held[at] as ExecRecord), brk: answerOf(record) };
    }
    held.push(record);
    if (record.type === 'exec' && record.brk === null) waiting.set(record.process, held.length - 1);
    if (waiting.size === 0) yield* held.splice(0);
  }
  yield* held;
}

const settles = (record: BodyRecord): boolean =>
  record.type === 'exec' || record.type === 'exit' || (record.type === 'call' && record.call === 'brk');

const answerOf = (record: BodyRecord): number | null =>
  record.type === 'call' && record.args[0] === 0 && typeof record.result === 'number' ? record.result : null;
