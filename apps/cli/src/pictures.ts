import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Failure, programLines, scenarioNamed, timelineHtml, timelineSvg } from '@rmap-lab/explorer';
import { aboutFile } from '@rmap-lab/plumbing';
import { standing } from './load-strategy.js';

/** Files that a failing schedule is drawn into. */
export interface PictureOptions {
  readonly svg?: string;
  readonly html?: string;
}

/** Says before long work that what it is to draw can't be written. @throws what the file system says */
export function checkWritable(...files: readonly (string | undefined)[]): void {
  for (const file of files) {
    if (file === undefined) continue;
    const path = resolve(standing(), file);
    aboutFile(file, () => accessSync(existsSync(path) ? path : dirname(path), constants.W_OK));
  }
}

/** Draws a failure of a scenario into the files asked for. */
export function drawFailure(
  { svg, html }: PictureOptions,
  failure: Failure,
  title: string,
  scenario: string,
  token: string,
): void {
  if (svg !== undefined) writeFileSync(resolve(standing(), svg), timelineSvg(failure, title));
  if (html === undefined) return;
  const page = { title, operations: operationLines(scenario, failure.dropped), command: `rmap-lab replay ${token}` };
  writeFileSync(resolve(standing(), html), timelineHtml(failure, page));
}

/** The operations that a failure of a scenario takes. */
export const operationLines = (scenario: string, dropped: readonly number[]): readonly string[] =>
  programLines(scenarioNamed(scenario).without(new Set(dropped)).program);
