/** A name that no parser of query strings takes for anything but itself. */
const PLAIN_NAME = /^[\w-]+$/;

/** Parsers stop after some number of parameters, often 1,000: which they drop depends on the order. */
const SORTED_AT_MOST = 100;

/**
 * A query string as a part of a key: its parameters sorted by name, those of the same name in the order in which they came. Where the order
 * may matter to some parser (`a[]=1&a=2`, names that are encoded in part, very many), it stays as it is: two keys for what is the same are
 * harmless, one key for what is not would give a request the response of another.
 *
 * @param names the parameters that count, all where it is undefined; one whose name is not plain always counts, since a parser may take it
 * for another (`[page]=2` for `page=2`)
 */
export function normaliseQuery(query: string, names: ReadonlySet<string> | undefined): string {
  if (query === '' || (names === undefined && !query.includes('&'))) return query;
  const all = query.split('&').map((text) => ({ name: nameOf(text), text }));
  const parameters = names ? all.filter(({ name }) => names.has(name) || !PLAIN_NAME.test(name)) : all;
  const isSortable =
    parameters.length <= SORTED_AT_MOST && parameters.every(({ name }) => PLAIN_NAME.test(name));
  const ordered = isSortable ? parameters.toSorted((a, b) => compare(a.name, b.name)) : parameters;
  return ordered.map(({ text }) => text).join('&');
}

function nameOf(parameter: string): string {
  const end = parameter.indexOf('=');
  return end < 0 ? parameter : parameter.slice(0, end);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
