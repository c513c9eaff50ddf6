export {
  CaseFailure,
  type ConformanceCase,
  type Evidence,
  type Lab,
  LEVELS,
  type Level,
  type Strength,
} from './case.js';
export { cases } from './cases/index.js';
export { randomProgram, runPrograms } from './cases/random.js';
export { RULES, type RuleId } from './rules.js';
export {
  type CaseResult,
  type ConformanceOptions,
  type ConformanceReport,
  type Outcome,
  runCase,
  runConformance,
  selectCases,
} from './run.js';
export { checkVersions, type Versions, WrongVersions } from './versions.js';
