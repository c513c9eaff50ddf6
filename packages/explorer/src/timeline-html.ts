import type { Failure } from './explore.js';
import { lengthOf, sentenceOf } from './timeline.js';
import { escaped, timelineSvg } from './timeline-svg.js';

/** What a page says beside the picture. */
export interface PageText {
  readonly title: string;
  /** The operations, a line each. */
  readonly operations: readonly string[];
  /** The command that shows it again. */
  readonly command: string;
}

/** A failing schedule as a page of its own, which needs nothing else. */
export const timelineHtml = (failure: Failure, { title, operations, command }: PageText): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #223; --dim: #667; --box: #f2f4f7 }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #dde1e8; --dim: #98a0ad; --box: #22272f } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1200px; padding: 0 1rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
h2 { font-size: 1rem }
p { max-width: 60rem; overflow-wrap: anywhere }
.length { color: var(--dim) }
pre { background: var(--box); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto }
pre.command { white-space: pre-wrap; overflow-wrap: anywhere }
figure { margin: 0; overflow-x: auto }
svg { display: block; margin-left: -24px }
</style>
<h1>${escaped(title)}</h1>
<p>${escaped(sentenceOf(failure))}</p>
<p class="length">${escaped(lengthOf(failure))}</p>
<figure tabindex="0" aria-label="The schedule, step by step">
${timelineSvg(failure)}</figure>
<h2>What happens</h2>
<pre tabindex="0">${escaped(operations.join('\n'))}</pre>
<h2>To see it again</h2>
<pre class="command">${escaped(command)}</pre>
<h2>What was said</h2>
<pre tabindex="0">${escaped(failure.message)}</pre>
</html>
`;
