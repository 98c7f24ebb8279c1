import { ActrError } from "../errors.ts";

/** How many entries a page has: what is asked for, or `most`. @throws ActrError `invalid_argument`. */
export function pageLimit({ limit }: { readonly limit?: number }, most: number): number {
  if (limit === undefined) return most;
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= most) return limit;
  const message = `limit is ${limit}; it is a whole number from 1 to ${most}`;
  throw new ActrError("invalid_argument", message);
}
