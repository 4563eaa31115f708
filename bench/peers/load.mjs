/** Imports a package of this folder, which the compiled benchmarks cannot see from where they are. */
export const load = (name) => import(name);
