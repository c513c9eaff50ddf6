export { myStrategy } from './strategy.js';
