import { programToCode } from '@rmap-lab/core';
import type { Difference } from './judge.js';
import type { Objects } from './model-run.js';
import { recordText } from './records.js';

/** What one side says, in words; without `objects` they are not compared. */
export function side(result: string, records: readonly (readonly number[])[], objects: Objects | null): string[] {
  const lines = [`result: ${result}`];
  if (objects !== null) lines.push(`live: vm_area_struct ${objects[0]}, anon_vma ${objects[1]}, anon_vma_chain ${objects[2]}`);
  return [...lines, ...records.map(recordText)];
}

/** Lines of each side that are shown from the first that differs on: one page more or less names all later ones anew. */
const SHOWN = 60;

/** A difference for people: the program as code, then what is the same once and what differs twice. */
export function sideBySide({ program, kernel, model }: Difference): string {
  const code = programToCode(program);
  const all = Math.max(kernel.length, model.length);
  const first = Array.from({ length: all }, (_, i) => i).find((i) => kernel[i] !== model[i]);
  if (first === undefined) return `${code}\n\n${NOT_AGAIN}`;
  const lines = [code, ''];
  const stop = Math.min(all, first + SHOWN);
  for (let i = 0; i < stop; i++) {
    if (kernel[i] === model[i]) lines.push(`          ${kernel[i]}`);
    else {
      if (kernel[i] !== undefined) lines.push(`  kernel: ${kernel[i]}`);
      if (model[i] !== undefined) lines.push(`  model:  ${model[i]}`);
    }
  }
  if (stop < all) lines.push(`          ... and ${all - stop} more lines`);
  return lines.join('\n');
}

/** What is said of a difference that was gone when both sides were looked at for people. */
const NOT_AGAIN =
  'the kernel answered something else once, and the same as the model when the program was run again: what ran before it, or a daemon, had a part in it';
