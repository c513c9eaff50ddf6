import type { CaseResult } from '../run.js';

/** Everything known about a case that failed: the rule, what happened, the shortest program, the address spaces, how to see it again. */
export function explain({ broken, message, code, picture, id }: CaseResult, command: string): string {
  const said = message?.split('\n')[0] ?? '';
  return [broken, said, code, picture, `${command} --grep ${id}`].filter((part) => part !== null && part !== '').join('\n');
}
