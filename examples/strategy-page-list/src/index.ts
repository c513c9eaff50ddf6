export { pageList } from './strategy.js';
