import { programToCode } from '@rmap-lab/core';
import type { Difference } from './judge.js';

/** A difference for people: the program as code, then what is the same once and what differs twice. */
export function sideBySide({ program, kernel, model }: Difference): string {
  const lines = [programToCode(program), ''];
  for (let i = 0; i < Math.max(kernel.length, model.length); i++) {
    if (kernel[i] === model[i]) lines.push(`          ${kernel[i]}`);
    else {
      if (kernel[i] !== undefined) lines.push(`  kernel: ${kernel[i]}`);
      if (model[i] !== undefined) lines.push(`  model:  ${model[i]}`);
    }
  }
  return lines.join('\n');
}
