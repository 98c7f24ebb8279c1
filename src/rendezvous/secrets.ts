import { ActrError } from "../errors.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";

/** Where the rendezvous keeps single values. */
export const metaSpace = "rendezvous.meta";

/** A secret of 32 bytes that is made once, by the first server on the store, and kept there. @throws ActrError `storage`. */
export async function keptSecret(store: Store, random: Random, name: string): Promise<Uint8Array> {
  const key = `secret.${name}`;
  const kept = await store.record(metaSpace, key);
  if (kept !== undefined) return kept;
  const value = random.bytes(32);
  try {
    await store.commit([
      { kind: "record.expect", space: metaSpace, key, value: null },
      { kind: "record.put", space: metaSpace, key, value },
    ]);
    return value;
  } catch (error) {
    if (ActrError.from(error).code !== "lease_lost") throw error;
    const others = await store.record(metaSpace, key);
    // None of a faster server: it is the store that was lost.
    if (others === undefined) throw error;
    return others;
  }
}
