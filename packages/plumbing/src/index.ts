export { JsonLines, type LineForm } from './json-lines.js';
export { milliseconds } from './milliseconds.js';
