import type { Failure } from './explore.js';
import type { RecordedStep } from './recording.js';
import { lengthOf, markedSteps, sentenceOf, stepName } from './timeline.js';

/** Colours that are told apart by (nearly) everybody, one for each class of locks. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#b8a900', '#777777'];
const ROW = 20;
const CHAR = 7.3;
const BAR = 9;
const MARGIN = 24;
const NUMBERS = 40;
/** Room for the sentence. */
const MINIMUM = 800;

/** Text as it may stand in XML. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

/** A lock held by a thread, from the step after which it has it up to the last at which it does. */
interface Held {
  readonly lock: string;
  readonly lane: number;
  readonly from: number;
  to: number;
}

/** What one thread holds: a lane for each lock, taken over by the next when it is given up. */
function heldBy(steps: readonly RecordedStep[], thread: number): readonly Held[] {
  const all: Held[] = [];
  let open: Held[] = [];
  let before = -1;
  for (const [at, { thread: by, held }] of steps.entries()) {
    if (by !== thread) continue;
    const kept = held.findIndex((lock, i) => open[i]?.lock !== lock);
    open = open.slice(0, kept < 0 ? held.length : kept);
    for (const bar of open) bar.to = at;
    for (let lane = open.length; lane < held.length; lane++) {
      const bar = { lock: held[lane], lane, from: Math.max(before, 0), to: at };
      open.push(bar);
      all.push(bar);
    }
    before = at;
  }
  return all;
}

/** Lines of at most `width` characters. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== '' && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** What looks different on a dark screen; attributes say how it looks on a light one, where style sheets aren't known too. */
const DARK =
  '.paper{fill:#14171c}.ink{fill:#dde1e8}.dim{fill:#98a0ad}.band{fill:#22272f}.hollow{fill:#14171c}.blame{fill:#5a2a23;stroke:#ff8a75}.arrow{stroke:#ff8a75}.tip{fill:#ff8a75}';

/**
 * A failing schedule as a picture: a column for each thread, bars for the locks that it holds, and the two steps to blame.
 * @param title also says that the sentence stands above; without it there is nothing but the columns
 */
export function timelineSvg(failure: Failure, title?: string): string {
  const { threads, steps } = failure.recording;
  const bars = threads.map((_, i) => heldBy(steps, i));
  const classes = [...new Set(bars.flat().map(({ lock }) => lock.split(' ')[0]))];
  const colour = (lock: string): string => COLOURS[classes.indexOf(lock.split(' ')[0]) % COLOURS.length];

  let x = MARGIN + NUMBERS;
  const columns = threads.map((name, i) => {
    const lanes = Math.max(0, ...bars[i].map(({ lane }) => lane + 1));
    const text = Math.max(name.length, ...steps.filter(({ thread }) => thread === i).map(({ what }) => stepName(what).length));
    const column = { x, text: x + lanes * BAR + 10, width: lanes * BAR + text * CHAR + 30 };
    x += column.width + 16;
    return column;
  });
  const legend = classes.length === 0 ? [] : [...classes, 'full: held for writing; hollow: for reading'];
  const roomOf = (name: string): number => 33 + name.length * CHAR;
  const least = title === undefined ? Math.max(0, ...legend.map(roomOf)) + MARGIN : MINIMUM;
  const width = Math.ceil(Math.max(x + MARGIN, least));

  const out: string[] = [];
  const text = (tx: number, ty: number, content: string, how = ' class="ink"'): void => {
    out.push(`<text x="${tx.toFixed(1)}" y="${ty.toFixed(1)}"${how}>${escaped(content)}</text>`);
  };
  const dim = ' class="dim" fill="#667"';
  const strong = ' class="ink" font-weight="bold"';

  let line = MARGIN;
  if (title !== undefined) {
    text(MARGIN, line + 10, title, `${strong} font-size="14"`);
    line += 36;
    for (const words of wrapped(sentenceOf(failure), Math.floor((width - 2 * MARGIN) / CHAR))) {
      text(MARGIN, line, words);
      line += 18;
    }
    text(MARGIN, line + 10, lengthOf(failure), dim);
    line += 26;
  }
  let at = MARGIN;
  for (const name of legend) {
    const room = roomOf(name);
    if (at > MARGIN && at + room > width) {
      at = MARGIN;
      line += 18;
    }
    const isClass = classes.includes(name);
    if (isClass) out.push(`<rect x="${at.toFixed(1)}" y="${line}" width="10" height="10" fill="${colour(name)}"/>`);
    text(isClass ? at + 15 : at, line + 9, name, dim);
    at += room;
  }
  const top = line + 58;
  const height = top + steps.length * ROW + MARGIN;
  const y = (step: number): number => top + step * ROW;

  for (const [i, name] of threads.entries()) {
    const { x: left, text: from, width: wide } = columns[i];
    text(from, top - 14, name, strong);
    out.push(`<line x1="${left}" y1="${top - 6}" x2="${left + wide}" y2="${top - 6}" stroke="#888"/>`);
  }
  // Who runs: a band for each stretch of one thread.
  for (let from = 0; from < steps.length; ) {
    const { thread } = steps[from];
    let to = from;
    while (to < steps.length && steps[to].thread === thread) to++;
    const { x: left, width: wide } = columns[thread];
    out.push(
      `<rect x="${left}" y="${y(from)}" width="${wide.toFixed(1)}" height="${(to - from) * ROW}" rx="4" class="band" fill="#f2f4f7"><title>${escaped(threads[thread])}</title></rect>`,
    );
    from = to;
  }
  for (const [i, held] of bars.entries())
    for (const { lock, lane, from, to } of held) {
      const left = columns[i].x + 4 + lane * BAR;
      const fill = lock.endsWith(' W') ? `fill="${colour(lock)}"` : 'class="hollow" fill="white"';
      out.push(
        `<rect x="${left}" y="${y(from) + 12}" width="${BAR - 3}" height="${y(to) - y(from)}" rx="2" ${fill} stroke="${colour(lock)}"><title>${escaped(lock)}</title></rect>`,
      );
    }
  const marked = markedSteps(failure);
  for (const [step, { thread, what }] of steps.entries()) {
    const column = columns[thread];
    const name = stepName(what);
    if (marked.includes(step))
      out.push(
        `<rect x="${column.text - 4}" y="${y(step) + 1}" width="${(name.length * CHAR + 8).toFixed(1)}" height="${ROW - 2}" rx="4" class="blame" fill="#ffe3dd" stroke="#c0392b"/>`,
      );
    text(MARGIN + NUMBERS - 14, y(step) + 14, String(step), `${dim} text-anchor="end"`);
    text(column.text, y(step) + 14, name);
  }
  if (marked.length === 2)
    out.push(
      arrow(marked.map((step) => ({ ...columns[steps[step].thread], y: y(step) + ROW / 2, name: stepName(steps[step].what) }))),
    );
  const label = escaped(`${threads.join(', ')}: ${sentenceOf(failure)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="12" fill="#223">
<style>@media (prefers-color-scheme:dark){${DARK}}</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" class="tip" fill="#c0392b"/></marker></defs>
<rect width="100%" height="100%" class="paper" fill="white"/>
${out.join('\n')}
</svg>
`;
}

/** From the first of the two steps to blame to the second. */
function arrow([a, b]: readonly { readonly text: number; readonly y: number; readonly name: string }[]): string {
  const right = (end: { text: number; name: string }): number => end.text + end.name.length * CHAR + 6;
  const [from, to] = a.text < b.text ? [right(a), b.text - 6] : [a.text - 6, right(b)];
  const middle = (from + to) / 2;
  const path = `M${from.toFixed(1)} ${a.y} C${middle.toFixed(1)} ${a.y} ${middle.toFixed(1)} ${b.y} ${to.toFixed(1)} ${b.y}`;
  return `<path d="${path}" class="arrow" fill="none" stroke="#c0392b" stroke-width="1.5" marker-end="url(#tip)"/>`;
}
