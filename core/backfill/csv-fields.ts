export interface CsvStyle {
  delimiter: string;
  /** Empty where quotes mean nothing. */
  quote: string;
}

/** The fields of a record (RFC 4180: two quotes within quotes are one); in words what is wrong, where it is none. */
export function readCsvFields(text: string, { delimiter, quote }: CsvStyle): string[] | string {
  if (quote === "" || !text.includes(quote)) return text.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; ;) {
    const isQuoted = text.startsWith(quote, at);
    const end = isQuoted ? findClosing(text, quote, at + 1) : endOfPlain(text, delimiter, at);
    if (end < 0) return "a quoted field that is not closed";
    const field = isQuoted ? text.slice(at + 1, end).replaceAll(quote + quote, quote) : text.slice(at, end);
    fields.push(field);
    const after = isQuoted ? end + 1 : end;
    if (after >= text.length) return fields;
    if (!text.startsWith(delimiter, after)) return `field ${fields.length} goes on after its closing quote`;
    at = after + delimiter.length;
  }
}

function endOfPlain(text: string, delimiter: string, at: number): number {
  const end = text.indexOf(delimiter, at);
  return end < 0 ? text.length : end;
}

function findClosing(text: string, quote: string, at: number): number {
  let close = text.indexOf(quote, at);
  while (close >= 0 && text.startsWith(quote, close + 1)) close = text.indexOf(quote, close + 2);
  return close;
}

/** What is between white space. */
export function readWords(text: string): string[] {
  return text.trim().split(/\s+/);
}
