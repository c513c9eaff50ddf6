import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Failure, programLines, scenarioNamed, timelineHtml, timelineSvg } from '@rmap-lab/explorer';
import { standing } from './load-strategy.js';

/** Files that a failing schedule is drawn into. */
export interface PictureOptions {
  readonly svg?: string;
  readonly html?: string;
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
