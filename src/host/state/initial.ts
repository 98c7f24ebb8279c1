import type { Initial } from "../../actor.ts";

/** The value that a definition gives for one actor: made by its function, or a copy of its constant. */
export function valueFor<T, Args extends readonly unknown[]>(
  initial: Initial<T, Args> | undefined,
  ...args: Args
): T | undefined | Promise<T> {
  if (typeof initial === "function") return (initial as (...args: Args) => T | Promise<T>)(...args);
  return initial === undefined ? undefined : structuredClone(initial);
}
