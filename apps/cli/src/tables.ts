import Table, { type Cell } from 'cli-table3';

/** A table for a terminal, whose first `texts` columns are words and the others figures. */
export function terminalTable(head: readonly string[], rows: readonly (readonly Cell[])[], texts = 1): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i < texts ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** The same in Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [head, head.map((_, i) => (i < texts ? '---' : '---:')), ...rows].map(line).join('\n');
}

/** The same as comma-separated values. */
export function csvTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [head, ...rows].map((cells) => cells.map(cell).join(',')).join('\n');
}
