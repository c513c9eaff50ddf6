export { aboutFile } from './about-file.js';
export { answerOf, type Talk } from './answer-of.js';
export { JsonLines, type LineForm } from './json-lines.js';
export { milliseconds } from './milliseconds.js';
export { mindOutput } from './mind-output.js';
