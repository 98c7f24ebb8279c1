import type { Store } from "../../ports/store.ts";
import { fromBase64, toBase64, utf8 } from "../../protocol/bytes.ts";
import { type ActrId, peerKey } from "../../protocol/ids.ts";
import { AclSchema, decode, encode, ServiceSpecSchema } from "../../protocol/schema.ts";
import type { Profile } from "../discovery/directory.ts";
import { expireRecords } from "../expire_records.ts";

/** A renewal token as it is kept: never the token itself. */
export interface KeptToken {
  /** Base64 of SHA-256 of the token. */
  readonly hash: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** What is kept of one identity. */
export interface Registration {
  /** Text form of its ActrId. */
  readonly actorId: string;
  readonly profile: Profile;
  /** At most two, newest first. */
  readonly tokens: readonly KeptToken[];
}

interface Saved {
  readonly actorId: string;
  readonly acl?: string;
  readonly spec?: string;
  readonly wsAddress?: string;
  readonly tokens: readonly KeptToken[];
}

const space = "rendezvous.registrations";

/** Every identity that may still be renewed or still holds a credential. */
export class Registrations {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws ActrError `storage`. */
  async get(id: ActrId): Promise<Registration | undefined> {
    const value = await this.#store.record(space, peerKey(id));
    return value === undefined ? undefined : parse(value);
  }

  /** Whether the store answers. */
  readable(): Promise<boolean> {
    return this.#store.record(space, "").then(
      () => true,
      () => false,
    );
  }

  /** Resolves when the registration of `id` is durable. @throws ActrError `storage`. */
  async put(id: ActrId, registration: Registration): Promise<void> {
    const value = format(registration);
    await this.#store.commit([{ kind: "record.put", space, key: peerKey(id), value }]);
  }

  /** Forgets those whose last token ended before `time`, Unix seconds; returns how many. @throws ActrError `storage`. */
  async expire(time: number): Promise<number> {
    return await expireRecords(this.#store, space, (value) => endOf(parse(value)) < time);
  }
}

function endOf({ tokens }: Registration): number {
  return tokens.reduce((end, token) => Math.max(end, token.expiresAt), 0);
}

function format({ actorId, profile, tokens }: Registration): Uint8Array {
  const { acl, spec, wsAddress } = profile;
  const saved: Saved = {
    actorId,
    ...(acl && { acl: toBase64(encode(AclSchema, acl)) }),
    ...(spec && { spec: toBase64(encode(ServiceSpecSchema, spec)) }),
    ...(wsAddress !== undefined && { wsAddress }),
    tokens,
  };
  return utf8(JSON.stringify(saved));
}

function parse(value: Uint8Array): Registration {
  const saved = JSON.parse(new TextDecoder().decode(value)) as Saved;
  const { actorId, acl, spec, wsAddress, tokens } = saved;
  const profile: Profile = {
    ...(acl !== undefined && { acl: decode(AclSchema, bytes(acl)) }),
    ...(spec !== undefined && { spec: decode(ServiceSpecSchema, bytes(spec)) }),
    ...(wsAddress !== undefined && { wsAddress }),
  };
  return { actorId, profile, tokens };
}

function bytes(text: string): Uint8Array {
  return fromBase64(text) ?? new Uint8Array();
}
