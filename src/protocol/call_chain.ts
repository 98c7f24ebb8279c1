import type { MetadataEntry } from "./metadata.ts";

/**
 * Key of the metadata entry that names the handlers which wait for a call, the outermost first, apart by
 * spaces; other Actr peers ignore it.
 */
const chainKey = "roost-chain";

/** Handlers that may wait for each other. */
export const maxChain = 64;

/** Longest entry that is read: so many names of a UUID's length. */
const maxChainLength = maxChain * 37;

const noChain: readonly string[] = [];

/** Names of the handlers that wait for a request; none when it says nothing, or too much. */
export function callChain(metadata: readonly MetadataEntry[]): readonly string[] {
  if (metadata.length === 0) return noChain;
  const value = metadata.find(({ key }) => key === chainKey)?.value;
  if (value === undefined || value === "" || value.length > maxChainLength) return noChain;
  return value.split(" ");
}

/** Metadata of a request that the handlers of `chain` wait for. */
export function chainMetadata(chain: readonly string[]): MetadataEntry[] {
  return [{ key: chainKey, value: chain.join(" ") }];
}
