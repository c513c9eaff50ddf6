import type { CaseResult } from '../run.js';

const indented = (text: string): string => text.replace(/^/gm, '  ');
const section = (title: string, text: string | null | undefined): string[] => (text ? [`${title}:`, indented(text)] : []);

/** Everything known about a case that failed: the rule, what happened, the shortest program, the address spaces, how to see it again. */
export function explain({ broken, message, code, evidence, id, why }: CaseResult, command: string): string {
  const { schedule, before, after, mappings } = evidence;
  return [
    broken ?? '',
    message?.split('\n')[0] ?? '',
    ...section('program', code),
    ...section('schedule', schedule),
    ...section('address spaces before', before),
    ...section('address spaces after', after),
    ...section('mappings', mappings),
    ...section('why this case', why),
    ...section('again', `${command} --grep ${id}`),
  ].join('\n');
}
