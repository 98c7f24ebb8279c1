import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import { formatActorKey, parseActorKey } from "../../protocol/actors/actor_key.ts";

/** A definition of the node. */
export interface KindJson {
  readonly name: string;
  /** How many of its actors are awake. */
  readonly awake: number;
}

/** One line of a list of actors. */
export interface ListedActor {
  readonly id: string;
  /** Serialised. */
  readonly key: string;
  readonly lifecycle: string;
}

/** One page of the actors of a definition, ascending by key. */
export interface ActorPage {
  readonly actors: readonly ListedActor[];
  /** Where the next page begins: its `after`; null when this was the last one. */
  readonly next: string | null;
}

const usualLimit = 100;
const maxLimit = 500;

/** What `GET /inspect/actors` answers: definitions, or a page of the actors of the one that is named. */
export async function listActors(
  host: ActorHost | undefined,
  query: URLSearchParams,
): Promise<{ readonly kinds: readonly KindJson[] } | ActorPage> {
  const name = query.get("name");
  if (name === null) return { kinds: kindsOf(host) };
  if (host === undefined) throw new ActrError("not_found", "this node has no actors");
  const limit = Number(query.get("limit") ?? usualLimit);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new ActrError("invalid_argument", `limit is a whole number from 1 to ${maxLimit}`);
  }
  const after = query.get("after");
  const found = await host.list(name, limit, after === null ? undefined : parseActorKey(after));
  const actors = found.map(({ id, key }) => ({
    id,
    key: formatActorKey(key),
    lifecycle: host.instance(id)?.state ?? "asleep",
  }));
  return { actors, next: found.length < limit ? null : (actors.at(-1)?.key ?? null) };
}

function kindsOf(host: ActorHost | undefined): KindJson[] {
  return [...(host?.awakeByName() ?? [])].map(([name, awake]) => ({ name, awake }));
}
