/** A text as terminals, YAML and XML can take it: control characters and halves of characters would end or redefine what they print. */
export const printable = (text: string): string => text.replace(/(?![\t\n])[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');
