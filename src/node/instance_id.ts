import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import { utf8 } from "../protocol/bytes.ts";

const space = "node";
const key = "instance";
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What {@link instanceIdOf} works with. */
export interface InstanceIdComponents {
  readonly store: Store;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * The name of a node's data, a UUID: made once, then the same as long as the store lives (`spec/node.md` §2.1).
 * @throws ActrError `storage`.
 */
export async function instanceIdOf({ store, random, log }: InstanceIdComponents): Promise<string> {
  const saved = await store.record(space, key);
  const known = saved === undefined ? undefined : new TextDecoder().decode(saved);
  if (known !== undefined && uuid.test(known)) return known;
  if (known !== undefined) log.warn("node.instance_id_damaged", { bytes: saved?.length });
  const made = random.uuid();
  await store.commit([{ kind: "record.put", space, key, value: utf8(made) }]);
  return made;
}
