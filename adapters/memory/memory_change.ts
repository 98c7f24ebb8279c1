import type { StoreChange } from "../../src/ports/store.ts";

/** A change of one table. */
export type Change<Table extends string> = Extract<
  StoreChange,
  { readonly kind: `${Table}.${string}` }
>;
