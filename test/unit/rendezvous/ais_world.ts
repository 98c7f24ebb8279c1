import assert from "node:assert/strict";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { concatBytes } from "../../../src/protocol/bytes.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import {
  ActrIdSchema,
  decode,
  encode,
  type MessageInit,
  RegisterAuthMode,
  RegisterRequestSchema,
  type RegisterResponse_RegisterOk,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
  RenewCredentialResponseSchema,
} from "../../../src/protocol/schema.ts";
import type { Ais } from "../../../src/rendezvous/ais/ais.ts";
import type { AisAnswer } from "../../../src/rendezvous/ais/ais_answer.ts";
import { openAis } from "../../../src/rendezvous/ais/open_ais.ts";
import { register } from "../../../src/rendezvous/ais/register.ts";
import { reissue } from "../../../src/rendezvous/ais/reissue.ts";
import { renew } from "../../../src/rendezvous/ais/renew.ts";
import {
  type RendezvousOptions,
  resolveRendezvousOptions,
} from "../../../src/rendezvous/options.ts";
import { silent } from "./silent_logger.ts";

export type RegisterFields = Partial<Omit<MessageInit<typeof RegisterRequestSchema>, "$typeName">>;
export type Registered = RegisterResponse_RegisterOk;

/** What an exchange came to: the code is that of the error inside, else the HTTP status. */
export interface Answered {
  readonly status: number;
  readonly code: number;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
  readonly ok?: Registered;
}

/** An encoded registration of a linked node in realm 1. */
export function registration(fields: RegisterFields = {}, type = "acme:echo:1.0.0"): Uint8Array {
  return encode(RegisterRequestSchema, {
    actrType: parseActrType(type, { checkNames: false }),
    realm: { realmId: 1 },
    authMode: RegisterAuthMode.LINKED,
    ...fields,
  } as MessageInit<typeof RegisterRequestSchema>);
}

/** The identity service on a store and a clock of its own. */
export class AisWorld {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly ais: Ais;

  private constructor(ais: Ais, clock: FakeClock, store: MemoryStore) {
    this.ais = ais;
    this.clock = clock;
    this.store = store;
  }

  static async open(
    options: RendezvousOptions = {},
    store = new MemoryStore(),
    clock = new FakeClock(),
  ): Promise<AisWorld> {
    const components = { store, clock, random: new SeededRandom(), log: silent };
    return new AisWorld(await openAis(components, resolveRendezvousOptions(options)), clock, store);
  }

  /** Another server, started on what this one has kept. */
  restart(options: RendezvousOptions = {}): Promise<AisWorld> {
    return AisWorld.open(options, this.store.reopen(), this.clock);
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  async register(body = registration(), secret?: string): Promise<Answered> {
    return read(RegisterResponseSchema, await register(this.ais, body, secret));
  }

  /** Registers, which must succeed. */
  async enter(fields: RegisterFields = {}, secret?: string): Promise<Registered> {
    const { ok, message } = await this.register(registration(fields), secret);
    assert.ok(ok, message);
    return ok;
  }

  async renew({ actrId, renewalToken }: Registered): Promise<Answered> {
    const body = encode(RenewCredentialRequestSchema, { actrId, renewalToken } as never);
    return read(RenewCredentialResponseSchema, await renew(this.ais, body));
  }

  async reissue(
    { actrId, renewalToken }: Registered,
    body = registration(),
    secret?: string,
  ): Promise<Answered> {
    const id = encode(ActrIdSchema, actrId as never);
    const request = concatBytes([field(1, id), field(2, body), field(3, renewalToken)]);
    return read(RenewCredentialResponseSchema, await reissue(this.ais, request, secret));
  }
}

/** A field of bytes, fewer than 16,384 of them. */
export function field(number: number, bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return concatBytes([Uint8Array.of((number << 3) | 2, ...size), bytes]);
}

function read(
  schema: typeof RegisterResponseSchema | typeof RenewCredentialResponseSchema,
  { status, bytes, retryAfterSeconds }: AisAnswer,
): Answered {
  const { result } = decode<typeof RegisterResponseSchema>(schema as never, bytes);
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  if (result.case === "success") return { status, code: status, ok: result.value, ...wait };
  assert.equal(result.case, "error");
  const { code, message } = result.value;
  return { status, code, message, ...wait };
}
