import type { Failure } from './explore.js';
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
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; color: #223 }
pre { background: #f2f4f7; padding: .8rem 1rem; border-radius: 6px; overflow-x: auto }
pre.command { white-space: pre-wrap; word-break: break-all }
figure { margin: 1.5rem 0; overflow-x: auto }
h2 { font-size: 1rem }
</style>
<h1>${escaped(title)}</h1>
<figure>
${timelineSvg(failure, title)}</figure>
<h2>What happens</h2>
<pre>${escaped(operations.join('\n'))}</pre>
<h2>To see it again</h2>
<pre class="command">${escaped(command)}</pre>
<h2>What was said</h2>
<pre>${escaped(failure.message)}</pre>
</html>
`;
