import type { DiscoverOptions } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { PeerAddress } from "../ports/transport.ts";
import { type Dependency, fingerprintOf } from "../protocol/dependencies.ts";
import {
  type ActrId,
  type ActrType,
  formatActrId,
  formatActrType,
  parseActrType,
} from "../protocol/ids.ts";
import type { SignalingClient } from "../signaling/signaling_client.ts";
import type { RequestOptions } from "../signaling/signaling_requests.ts";
import { spanned } from "../spans.ts";

/** Addresses remembered; the oldest are forgotten. */
const maxAddresses = 4096;

/** Candidates asked for when one known peer's address is wanted. */
const lookupCount = 64;

/** Where peers are: learned by discovery, asked for when missing (`spec/node.md` §12.3). */
export class PeerDirectory {
  readonly #signaling: SignalingClient;
  readonly #nodeSignal: AbortSignal;
  readonly #tracer: Tracer | undefined;
  readonly #dependencies: () => readonly Dependency[] | undefined;
  readonly #addresses = new Map<string, PeerAddress>();

  constructor(
    signaling: SignalingClient,
    nodeSignal: AbortSignal,
    tracer: Tracer | undefined,
    dependencies: () => readonly Dependency[] | undefined = () => undefined,
  ) {
    this.#signaling = signaling;
    this.#nodeSignal = nodeSignal;
    this.#tracer = tracer;
    this.#dependencies = dependencies;
  }

  /** @throws ActrError `not_found`, `unavailable`, `invalid_argument`; `dependency_not_found` for a type that is none of the node's dependencies. */
  async discover(type: ActrType | string, options: DiscoverOptions = {}): Promise<ActrId[]> {
    const wanted = typeof type === "string" ? parseActrType(type) : type;
    const { count = 1, signal = this.#nodeSignal, trace = {} } = options;
    const span = this.#tracer?.start("RuntimeContext.discover_route_candidate", trace, {
      target_type: formatActrType(wanted),
    });
    return await spanned(
      span,
      this.#discover(wanted, count, { signal, trace: span?.context ?? trace }),
    );
  }

  async #discover(wanted: ActrType, count: number, options: RequestOptions): Promise<ActrId[]> {
    const fingerprint = fingerprintOf(this.#dependencies(), wanted);
    const found = await this.#ask(wanted, count, { ...options, fingerprint });
    if (found.length > 0) return found.map((each) => each.id);
    throw new ActrError(
      "not_found",
      `no node of type ${formatActrType(wanted)} is connected; start one, or check the type and realm`,
    );
  }

  /** The peer's address as far as it is known; asks signaling when nothing is, or when `fresh`. */
  async resolve(
    peer: ActrId,
    { fresh, signal }: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<PeerAddress> {
    const key = formatActrId(peer);
    const known = this.#addresses.get(key);
    if (known !== undefined && !fresh) return known;
    this.#addresses.delete(key);
    await this.#ask(peer.type, lookupCount, { signal });
    return this.#addresses.get(key) ?? { id: peer };
  }

  async #ask(
    type: ActrType,
    count: number,
    options: RequestOptions & { readonly fingerprint?: string },
  ): Promise<readonly PeerAddress[]> {
    const candidates = await this.#signaling.routeCandidates(type, count, options);
    const found = candidates.map(({ id, wsAddress }) =>
      wsAddress === undefined ? { id } : { id, url: wsAddress },
    );
    for (const address of found) this.#remember(address);
    return found;
  }

  #remember(address: PeerAddress): void {
    const key = formatActrId(address.id);
    this.#addresses.delete(key);
    this.#addresses.set(key, address);
    if (this.#addresses.size <= maxAddresses) return;
    for (const oldest of this.#addresses.keys()) {
      this.#addresses.delete(oldest);
      return;
    }
  }
}
