import type { MetadataEntry } from "./metadata.ts";

/** Key of the metadata entry that marks a durable send between Roost nodes; other Actr peers ignore it. */
const durableKey = "roost-durable";

/** Metadata of a request whose empty answer says "on disk". */
export const durableMetadata: readonly MetadataEntry[] = [{ key: durableKey, value: "1" }];

/** Whether a request asks only to be put on disk. */
export function isDurableSend(metadata: readonly MetadataEntry[]): boolean {
  return metadata.some((entry) => entry.key === durableKey && entry.value === "1");
}
