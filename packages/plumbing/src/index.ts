export { JsonLines, type LineForm } from './json-lines.js';
