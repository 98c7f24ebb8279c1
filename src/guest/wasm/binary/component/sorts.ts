import type { Reader } from "../reader.ts";
import { skipValueType } from "./value_types.ts";

/** What a component imports, exports and aliases. */
export const sorts = ["core", "function", "value", "type", "component", "instance"] as const;

/** One of {@link sorts}. */
export type Sort = (typeof sorts)[number];

/** The sort of a definition; of core ones only that they are. */
export function readSort(input: Reader): Sort {
  const sort = sorts[input.u8()];
  if (sort === undefined) throw input.malformed("a sort is unknown", input.at - 1);
  if (sort === "core") input.u8();
  return sort;
}

/** The name of an import or export; what tools add to it is passed over. */
export function readExternName(input: Reader): string {
  const form = input.u8();
  if (form > 2) throw input.malformed("a name has an unknown form", input.at - 1);
  const name = input.name();
  if (form < 2) return name;
  for (let left = input.count(16, "additions to a name"); left > 0; left--) {
    input.u8();
    input.name();
  }
  return name;
}

/** The sort of what an import or export is, whose type is passed over. */
export function readExternType(input: Reader): Sort {
  const sort = readSort(input);
  if (sort === "type") readBound(input, () => undefined);
  else if (sort === "value") readBound(input, skipValueType);
  else input.u32();
  return sort;
}

/** Equal to what has a number, or of what `other` reads. */
function readBound(input: Reader, other: (input: Reader) => void): void {
  const form = input.u8();
  if (form > 1) throw input.malformed("a bound has an unknown form", input.at - 1);
  if (form === 0) input.u32();
  else other(input);
}

/** The sort of an alias, whose target is passed over. */
export function readAlias(input: Reader): Sort {
  const sort = readSort(input);
  const target = input.u8();
  if (target > 2) throw input.malformed("an alias has an unknown form", input.at - 1);
  input.u32();
  if (target === 2) input.u32();
  else input.name();
  return sort;
}
