/** The rule that an error names. */
export const ruleOf = (error: Error): string => ('rule' in error && typeof error.rule === 'string' ? error.rule : error.name);
