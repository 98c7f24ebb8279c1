import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { toActrIdMessage } from "../protocol/id_messages.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";
import { encodeReissue } from "../protocol/reissue.ts";
import {
  type AclSchema,
  decode,
  encode,
  type MessageInit,
  type RegisterResponse_RegisterOk as RegisterOk,
  RegisterRequestSchema,
  type RegisterResponse,
  RegisterResponseSchema,
  RenewCredentialRequestSchema,
  type RenewCredentialResponse,
  RenewCredentialResponseSchema,
  type ServiceSpecSchema,
} from "../protocol/schema.ts";
import { type AisExchange, type Fetch, postToAis } from "./ais_http.ts";
import { classifyFailure, issueError } from "./issue_failure.ts";
import type { IssuedIdentity } from "./issued_identity.ts";
import { linkedFields, type PackageRegistration, packageFields } from "./package_registration.ts";
import { checkRenewal, readIdentity } from "./register_ok.ts";

/** What a node registers as. */
export interface Registration {
  readonly type: ActrType;
  /** u32. */
  readonly realm: number;
  /** Sent as a header, never shown. */
  readonly realmSecret?: string;
  /** Who may find and call this type; absent leaves the realm's stored rules alone. */
  readonly acl?: MessageInit<typeof AclSchema>;
  /** Where peers reach the node directly, `ws://…` or `wss://…`. */
  readonly wsAddress?: string;
  readonly serviceSpec?: MessageInit<typeof ServiceSpecSchema>;
  /** The package that the node runs. @default none: it is linked, which takes the realm's secret where there is one */
  readonly package?: PackageRegistration;
}

/** What the client works with. */
export interface AisComponents {
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** Client of the identity service (AIS): registers nodes, and renews credentials (`spec/protocol.md` §6). */
export class AisClient {
  readonly #components: AisComponents;
  readonly #base: string;

  /** @param options.url base URL, `/ais` included where the server has it; trailing slashes do not matter. @throws ActrError `config`. */
  constructor(components: AisComponents, options: { readonly url: string }) {
    this.#components = components;
    this.#base = baseUrl(options.url);
  }

  /** Registers a new ActrId; every call makes another one. @throws ActrError `registration`, details `failure`, `status`, `code`; what a package's prover throws. */
  async register(
    registration: Registration,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<IssuedIdentity> {
    const bytes = await postToAis(this.#components, {
      what: "registration",
      url: `${this.#base}/register`,
      headers: secretHeader(registration),
      body: await encodeRegistration(registration, signal),
      signal,
    });
    const { result } = decodeAnswer("registration", () => decode(RegisterResponseSchema, bytes));
    return readIdentity("registration", granted("registration", result));
  }

  /** Exchanges a renewal token for a new credential of the same id. @throws ActrError `registration`, details `failure`, `status`, `code`. */
  async renew(
    id: ActrId,
    renewalToken: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<IssuedIdentity> {
    const body = encode(RenewCredentialRequestSchema, {
      actrId: toActrIdMessage(id),
      renewalToken,
    });
    const url = `${this.#base}/renew`;
    return await this.#again(id, { what: "renewal", url, headers: {}, body, signal });
  }

  /**
   * Gets a credential of the same id for a renewal token that no longer counts, proven as a registration is; a service may
   * not know how (`spec/real-client.md`, renewal).
   * @throws as {@link AisClient.renew}; what a package's prover throws.
   */
  async reissue(
    id: ActrId,
    renewalToken: Uint8Array,
    registration: Registration,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<IssuedIdentity> {
    const proof = await encodeRegistration(registration, signal);
    return await this.#again(id, {
      what: "reissue",
      url: `${this.#base}/reissue`,
      headers: secretHeader(registration),
      body: encodeReissue({ id, registration: proof, renewalToken }),
      signal,
    });
  }

  /** What is answered with another credential of `id`. */
  async #again(id: ActrId, exchange: AisExchange): Promise<IssuedIdentity> {
    const { what } = exchange;
    const bytes = await postToAis(this.#components, exchange);
    const { result } = decodeAnswer(what, () => decode(RenewCredentialResponseSchema, bytes));
    const ok = granted(what, result);
    const issued = readIdentity(what, ok);
    checkRenewal(what, id, ok, issued);
    return issued;
  }
}

function secretHeader({ realmSecret }: Registration): Readonly<Record<string, string>> {
  return realmSecret === undefined ? {} : { "x-actrix-realm-secret": realmSecret };
}

/** The request as it is sent: protobuf `actr.RegisterRequest`; without the secret, which is no part of it. @throws what a package's prover throws. */
export async function encodeRegistration(
  registration: Registration,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { type, realm, acl, wsAddress, serviceSpec, package: its } = registration;
  return encode(RegisterRequestSchema, {
    ...(its === undefined ? linkedFields : await packageFields(its, registration, signal)),
    actrType: type,
    realm: { realmId: realm },
    ...(acl === undefined ? {} : { acl }),
    ...(wsAddress === undefined ? {} : { wsAddress }),
    ...(serviceSpec === undefined ? {} : { serviceSpec }),
  });
}

function decodeAnswer<T>(what: string, decodeIt: () => T): T {
  try {
    return decodeIt();
  } catch (cause) {
    throw issueError(what, "Protocol", "the answer cannot be decoded", { cause });
  }
}

/** What was issued. @throws ActrError `registration` for an error and for an answer that is neither. */
function granted(
  what: string,
  result: RegisterResponse["result"] | RenewCredentialResponse["result"],
): RegisterOk {
  if (result.case === "success") return result.value;
  if (result.case === undefined) throw issueError(what, "Protocol", "the answer is empty");
  const { code, message } = result.value;
  throw issueError(
    what,
    classifyFailure(code),
    `rejected (code ${code}): ${message.slice(0, 200)}`,
    {
      code,
    },
  );
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.search !== "") {
    throw new ActrError(
      "config",
      "the URL of the identity service must be http(s)://host[:port][/path], without credentials or query",
    );
  }
  return text.replace(/\/+$/, "");
}
