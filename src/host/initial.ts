import type { Initial } from "../actor.ts";

/** The value that a definition gives for one actor: made by its function, or a copy of its constant. */
export async function valueFor<T, Args extends readonly unknown[]>(
  initial: Initial<T, Args> | undefined,
  ...args: Args
): Promise<T | undefined> {
  if (typeof initial === "function")
    return await (initial as (...args: Args) => T | Promise<T>)(...args);
  return structuredClone(initial);
}
