import type { ActorKey } from "../../actor.ts";
import type { CallTarget } from "../../actor_client.ts";
import { formatActorKey } from "../../protocol/actors/actor_key.ts";

/** Never changed: ids tell the shard of their actor. */
export const shardCount = 64;

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** The shard of an actor: FNV-1a, 32 bits, of `NAME LF KEY`. */
export function shardOf(name: string, key: ActorKey): number {
  const text = `${name}\n${formatActorKey(key)}`;
  let hash = offsetBasis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime);
  // The low bits of one round alone know little of the others.
  return ((hash ^ (hash >>> 15)) >>> 0) % shardCount;
}

/** An id of an actor of this shard: a UUID whose first two digits tell it. */
export function shardedId(shard: number, uuid: string): string {
  return shardText(shard) + uuid.slice(2);
}

/** The shard of an id; any for what is no id of an actor. */
export function shardOfId(id: string): number {
  return (Number.parseInt(id.slice(0, 2), 16) || 0) % shardCount;
}

/** The shard of whom a call is for. */
export function shardOfTarget(target: CallTarget): number {
  return "id" in target ? shardOfId(target.id) : shardOf(target.name, target.key);
}

/** Two hexadecimal digits. */
export function shardText(shard: number): string {
  return shard.toString(16).padStart(2, "0");
}
