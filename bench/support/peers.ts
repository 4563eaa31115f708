/**
 * Loads a package of bench/peers. Its types are not there when the project is checked, as only benchmarks install it:
 * whoever loads one states the little of it that is used.
 */
export async function loadPeer<T>(name: string): Promise<T> {
  const loader = (await import(new URL('bench/peers/load.mjs', projectRoot()).href)) as {
    load(name: string): Promise<T>;
  };
  return loader.load(name);
}

/** From bench/dist/bench/support. */
function projectRoot(): URL {
  return new URL('../../../../', import.meta.url);
}
