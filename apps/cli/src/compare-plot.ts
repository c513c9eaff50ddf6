import * as Plot from '@observablehq/plot';
import type { Comparison, Measurement } from '@rmap-lab/experiments';
import { parseHTML } from 'linkedom';
import { compareTitle } from './compare-report.js';
import { shown } from './numbers.js';

const WIDTH = 760;
/** Height of one strategy's row. */
const ROW = 34;
/** Room above a picture for its title, and for each line that says what its marks mean. */
const HEAD = 34;
const LINE = 20;
/** Room beside a picture for the last figure, and longest name that is written out on the other side. */
const RIGHT = 64;
const LONGEST = 32;
/** Told apart by people who see colours otherwise, too (Okabe and Ito; those that come along take these eight, so the dark ones are for others). */
const COLOURS = [
  ...['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#999999'],
  ...['#000000', '#882255', '#332288', '#666600'],
];
const TEXT = 'font-family="sans-serif" fill="#222"';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
/** A measurement with what its row of the pictures is called. */
interface Row extends Measurement {
  readonly name: string;
}

const rowsOf = ({ rows, names }: Comparison): readonly Row[] =>
  rows.map((row, i) => ({ ...row, name: `${names[i]}${row.failure !== null ? ' FAILS' : row.stopped ? ' stopped' : ''}` }));
/** Without its middle: how names end often tells them apart, and says whether they fail. */
const shortened = (name: string): string =>
  name.length <= LONGEST ? name : `${name.slice(0, LONGEST / 2 - 1)}…${name.slice(-LONGEST / 2)}`;
const marginFor = (rows: readonly Row[]): number => 24 + Math.max(0, ...rows.map(({ name }) => shortened(name).length)) * 7;

/** What the strategy itself takes when it takes most, in KiB by kind of object. */
const memoryOf = ({ slab, own }: Measurement): readonly (readonly [what: string, kib: number])[] =>
  [
    ...Object.entries(own.together.live).map(([cache, live]) => [cache, (live * slab[cache].objectBytes) / 1024] as const),
    ['VMAs kept', (own.together.zombies * slab.vm_area_struct.objectBytes) / 1024] as const,
    ...(['vma', 'mm', 'folio'] as const).map((what) => [`fields in each ${what}`, own.together.added[what] / 1024] as const),
  ].filter(([, kib]) => kib > 0);

/** A comparison as an SVG document: what memory each design takes, and how far its walks go. */
export function comparePlot(comparison: Comparison): string {
  const { notRun = [] } = comparison;
  const rows = rowsOf(comparison);
  const title = escaped(compareTitle(comparison));
  const parts = rows.flatMap((row) => memoryOf(row).map(([what, kib]) => ({ name: row.name, what, kib })));
  const legend = legendOf([...new Set(parts.map(({ what }) => what))]);
  const height = 44 + rows.length * ROW;
  const below = HEAD + legend.lines * LINE + height + 20;
  const end = below + HEAD + LINE + height;
  const whole = end + notRun.length * LINE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${whole}" viewBox="0 0 ${WIDTH} ${whole}">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="12" y="22" font-size="15" font-weight="bold" ${TEXT}>${title}: memory of the design itself at the peak</text>`,
    legend.text,
    memory(parts, legend.kinds, rows, HEAD + legend.lines * LINE, height),
    `<g transform="translate(0 ${below})">`,
    `<text x="12" y="22" font-size="15" font-weight="bold" ${TEXT}>${title}: VMAs offered in one walk of a shared folio</text>`,
    WALK_LEGEND,
    walks(rows, HEAD + LINE, height),
    '</g>',
    ...notRun.map(
      (name, i) => `<text x="12" y="${end + i * LINE + 10}" font-size="12" ${TEXT}>${escaped(name)} was not run</text>`,
    ),
    '</svg>\n',
  ].join('\n');
}

interface Part {
  readonly name: string;
  readonly what: string;
  readonly kib: number;
}

interface Legend {
  readonly kinds: readonly string[];
  readonly lines: number;
  readonly text: string;
}

/** A square and a name for each kind of object, in as many lines as they take. */
function legendOf(kinds: readonly string[]): Legend {
  let x = 12;
  let lines = 1;
  const entries = kinds.map((what, i) => {
    const width = 36 + what.length * 6.8;
    if (x + width > WIDTH) {
      x = 12;
      lines++;
    }
    const [left, y] = [x, HEAD + (lines - 1) * LINE];
    x += width;
    const colour = COLOURS[i % COLOURS.length];
    return (
      `<rect x="${left}" y="${y + 2}" width="12" height="12" fill="${colour}"/>` +
      `<text x="${left + 17}" y="${y + 12}" font-size="12" ${TEXT}>${escaped(what)}</text>`
    );
  });
  return { kinds, lines, text: entries.join('\n') };
}

function memory(parts: readonly Part[], kinds: readonly string[], rows: readonly Row[], top: number, height: number): string {
  const total = (row: Row): number => memoryOf(row).reduce((sum, [, kib]) => sum + kib, 0);
  const marks = [
    Plot.barX(parts, { x: 'kib', y: 'name', fill: 'what', insetTop: 5, insetBottom: 5 }),
    Plot.text(rows, { x: total, y: 'name', text: (row: Row) => shown(total(row)), textAnchor: 'start', dx: 6 }),
    Plot.ruleX([0]),
  ];
  return placed(top, height, rows, {
    color: { domain: kinds, range: COLOURS },
    x: { label: 'KiB', grid: true, zero: true },
    marks,
  });
}

const WALK_LEGEND = [
  `<g stroke="${COLOURS[0]}">`,
  `<circle cx="18" cy="${HEAD + 8}" r="5" fill="${COLOURS[0]}"/>`,
  `<line x1="96" x2="96" y1="${HEAD + 2}" y2="${HEAD + 14}" stroke-width="3"/>`,
  `<circle cx="218" cy="${HEAD + 8}" r="5" fill="white"/>`,
  '</g>',
  ...(
    [
      [29, 'median'],
      [105, '99th percentile'],
      [229, 'largest'],
    ] as const
  ).map(([x, text]) => `<text x="${x}" y="${HEAD + 12}" font-size="12" ${TEXT}>${text}</text>`),
].join('\n');

function walks(rows: readonly Row[], top: number, height: number): string {
  const of = (what: 'p50' | 'p99' | 'max') => (row: Row) => row.walks.shared.candidates[what];
  const walked = rows.filter((row) => row.walks.shared.sampled > 0);
  const marks = [
    Plot.ruleY(walked, { x1: of('p50'), x2: of('max'), y: 'name', stroke: COLOURS[0] }),
    Plot.dot(walked, { x: of('max'), y: 'name', r: 5, stroke: COLOURS[0], fill: 'white' }),
    Plot.tickX(walked, { x: of('p99'), y: 'name', stroke: COLOURS[0], strokeWidth: 3, insetTop: 8, insetBottom: 8 }),
    Plot.dot(walked, { x: of('p50'), y: 'name', r: 5, fill: COLOURS[0] }),
    Plot.text(
      rows.filter((row) => !walked.includes(row)),
      { x: 0, y: 'name', text: () => 'none was walked', textAnchor: 'start', dx: 6 },
    ),
    Plot.ruleX([0]),
  ];
  const room = Math.floor((WIDTH - marginFor(rows) - RIGHT) / 70);
  const most = Math.max(1, ...walked.map(of('max')));
  return placed(top, height, rows, { x: { label: 'VMAs', grid: true, domain: [0, most], ticks: Math.min(room, most) }, marks });
}

/** One picture, a row for each strategy, as an SVG inside the document. */
function placed(top: number, height: number, rows: readonly Row[], options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const plot = Plot.plot({
    ...options,
    marks: [
      Plot.axisY({ tickFormat: shortened, title: (name: string) => (name === shortened(name) ? null : name) }),
      ...(options.marks ?? []),
    ],
    document,
    width: WIDTH,
    height,
    marginLeft: marginFor(rows),
    marginRight: RIGHT,
    marginTop: 6,
    marginBottom: 38,
    y: { type: 'band', domain: rows.map(({ name }) => name), label: null },
    style: { fontSize: '12px', fontFamily: 'sans-serif' },
  });
  plot.setAttribute('y', String(top));
  return plot.outerHTML;
}
