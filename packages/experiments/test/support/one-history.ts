import {
  type Address,
  Kernel,
  type KernelOptions,
  type Operation,
  PAGE_SIZE,
  type Process,
  ProgramRun,
  programToCode,
  type RmapStrategy,
  Unsupported,
  type VmaInfo,
} from '@rmap-lab/core';

/** A strategy whose history is held against that of the first. */
export interface Teller {
  readonly name: string;
  readonly strategy: () => RmapStrategy;
  /** How its VMAs differ from those of the first by a documented rule: not at all, some are joined, or some are apart. */
  readonly vmas: 'alike' | 'joined' | 'apart';
  /** It may miss mappings by design, also in the middle of an operation. From then on it tells another history. */
  readonly mayMiss: boolean;
}

/** Why a history was held against the first only up to some operation. */
export type End = 'missed' | 'unsupported' | 'held up by a zombie' | 'other VMAs led elsewhere';

interface Told {
  readonly teller: Teller;
  readonly run: ProgramRun;
  /** Its VMAs were once cut otherwise than those of the first. What a VMA remembers of its pages (that it had some, where they were born) has spread otherwise since. */
  cutOtherwise: boolean;
  readonly largeFolios: boolean;
}

/**
 * Runs `program` under all tellers, and after each operation holds every one against the first: the same answers, VMAs, contents, and
 * for each entry the same entries that map its page. By name, why and after which operation a history ended before the program did.
 * @throws Error at the first difference that no rule allows
 */
export function compareHistories(
  tellers: readonly Teller[],
  program: readonly Operation[],
  options: Partial<KernelOptions> = {},
): Map<string, readonly [End, Operation]> {
  const start = (teller: Teller): Told => ({
    teller,
    run: new ProgramRun(new Kernel({ strategy: teller.strategy(), ...options })),
    cutOtherwise: false,
    largeFolios: options.thp !== undefined,
  });
  const [first, ...rest] = tellers.map(start);
  const ends = new Map<string, readonly [End, Operation]>();
  let live = rest;
  for (const [i, operation] of program.entries()) {
    const answer = first.run.apply(operation);
    live = live.filter((told) => {
      const end = follow(first.run, told, operation, answer, () => programToCode(program.slice(0, i + 1)));
      if (end !== null) ends.set(told.teller.name, [end, operation]);
      return end === null;
    });
  }
  return ends;
}

/** One operation. */
function follow(first: ProgramRun, told: Told, operation: Operation, answer: string, soFar: () => string): End | null {
  const { teller, run } = told;
  const wrong = (what: string): Error => new Error(`${teller.name}: ${what}\n${soFar()}`);
  let own: string;
  try {
    own = run.apply(operation);
  } catch (error) {
    if (error instanceof Unsupported) return 'unsupported';
    throw error;
  }
  if (teller.mayMiss && run.kernel.check().problems.length > 0) return 'missed';
  if (own !== answer) {
    if (told.cutOtherwise) return 'other VMAs led elsewhere';
    throw wrong(`it answers ${own}, the first ${answer}`);
  }
  const vmas = differentVmas(first, told);
  if (vmas !== null) throw wrong(vmas);
  const entries = differentPages(first, run);
  if (entries === null) return null;
  // X8: who wants the read lock of a detached root never gets it, so that its folios are neither split nor moved.
  if (teller.mayMiss && run.kernel.zombies > 0) return 'held up by a zombie';
  // The larger the VMA, the larger may be the folio that a fault maps.
  if (told.cutOtherwise && told.largeFolios) return 'other VMAs led elsewhere';
  throw wrong(entries);
}

function differentVmas(first: ProgramRun, told: Told): string | null {
  const { teller, run } = told;
  const [theirs, own] = [cuts(first), cuts(run)];
  if (theirs !== own && !told.cutOtherwise) {
    told.cutOtherwise = true;
    const more = new Set((teller.vmas === 'joined' ? theirs : own).split(' '));
    const fewer = (teller.vmas === 'joined' ? own : theirs).split(' ');
    if (teller.vmas === 'alike' || fewer.some((cut) => !more.has(cut)))
      return `its VMAs begin at ${own}; those of the first at ${theirs}`;
  }
  const show = told.cutOtherwise ? coverage : layout;
  return show(first) === show(run) ? null : `its VMAs are:\n${show(run)}\nof the first:\n${show(first)}`;
}

function differentPages(first: ProgramRun, run: ProgramRun): string | null {
  if (pages(first) === pages(run)) return null;
  // A design that keeps a VMA in place for the whole of a migration lets whoever changes it wait until that is over.
  for (const each of [first, run]) each.kernel.finishMigrations();
  return pages(first) === pages(run) ? null : `its pages are:\n${pages(run)}\nof the first:\n${pages(first)}`;
}

/** Address spaces in the order of their oldest processes. */
const spaces = ({ processes }: ProgramRun): Process[] => [
  ...new Map(processes.map((process) => [process.mm.id, process])).values(),
];

/** Where VMAs begin. */
const cuts = (run: ProgramRun): string =>
  spaces(run)
    .flatMap((process, i) => process.vmas().map(({ start }) => `${i}@${start / PAGE_SIZE}`))
    .join(' ');

/** VMAs, and all that each says. */
const layout = (run: ProgramRun): string =>
  each(run, (vma) => [vma.flags, vma.pgoff, vma.anonPgoff, vma.faulted, vma.file !== null].join(' '), false);

/** What is mapped, and how it may be used, however it is cut into VMAs. */
const coverage = (run: ProgramRun): string => each(run, ({ flags, file }) => `${flags & 7} ${file !== null}`, true);

function each(run: ProgramRun, what: (vma: VmaInfo) => string, join: boolean): string {
  const lines: string[] = [];
  for (const [i, process] of spaces(run).entries()) {
    let open = { end: -1, what: '' };
    for (const vma of process.vmas()) {
      if (join && open.end === vma.start && open.what === what(vma)) lines.pop();
      else lines.push(`${i}@${vma.start / PAGE_SIZE}`);
      open = { end: vma.end, what: what(vma) };
      lines.push(`to ${vma.end / PAGE_SIZE} ${open.what}`);
    }
  }
  return lines.join(', ');
}

/** Every entry: what it is, which contents, and where else its page is found by a walk. */
function pages(run: ProgramRun): string {
  const all = spaces(run);
  const place = new Map(all.map((process, i) => [process.mm.id, i]));
  const lines: string[] = [];
  for (const [i, process] of all.entries()) {
    for (const { start, end } of process.vmas()) {
      for (let at: number = start; at < end; at += PAGE_SIZE) {
        const { kind, version, writable, ksm } = process.pageAt(at as Address);
        if (kind === 'none') continue;
        const folio = process.folioAt(at as Address);
        const found = folio === null || kind !== 'anonymous' ? [] : run.kernel.walk(folio).found;
        const where = found
          .map(({ process: of, address }) => `${of === null ? '?' : place.get(of.mm.id)}@${address / PAGE_SIZE}`)
          .sort();
        lines.push(`${i}@${at / PAGE_SIZE} ${kind} ${version}${writable ? ' w' : ''}${ksm ? ' ksm' : ''}: ${where.join(' ')}`);
      }
    }
  }
  return lines.join('\n');
}
