export { answerOf, type Talk } from './answer-of.js';
export { ignoreClosedPipe } from './closed-pipe.js';
export { JsonLines, type LineForm } from './json-lines.js';
export { milliseconds } from './milliseconds.js';
