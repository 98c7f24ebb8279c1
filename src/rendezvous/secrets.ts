import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";

/** Where the rendezvous keeps single values. */
export const metaSpace = "rendezvous.meta";

/** A secret of 32 bytes that is made once and kept in the store. @throws ActrError `storage`. */
export async function keptSecret(store: Store, random: Random, name: string): Promise<Uint8Array> {
  const key = `secret.${name}`;
  const kept = await store.record(metaSpace, key);
  if (kept !== undefined) return kept;
  const value = random.bytes(32);
  await store.commit([{ kind: "record.put", space: metaSpace, key, value }]);
  return value;
}
