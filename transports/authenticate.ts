import { abortable } from "#async";
import { ActrError } from "../src/errors.ts";
import type { Clock } from "../src/ports/clock.ts";
import type { ActrId } from "../src/protocol/ids.ts";
import type { PeerHeaders } from "../src/protocol/peer_headers.ts";
import { abortAfter } from "../src/time_limit.ts";

/** Verifies who dials: the credential's signature and expiry, and that it names the source. @throws ActrError `permission_denied`, `unavailable` when the signing key cannot be had. */
export type Authenticate = (
  claim: PeerHeaders,
  options: { readonly signal: AbortSignal },
) => Promise<ActrId>;

/** Bounds of {@link Authenticator}. */
export interface AuthenticatorOptions {
  /** For one verification, which may have to fetch a key; milliseconds. @default 5000 */
  readonly authTimeoutMs: number;
  /** Dialers verified at once; further ones are told to come back. @default 256 */
  readonly maxUnauthenticated: number;
}

interface Components {
  readonly clock: Clock;
  readonly authenticate: Authenticate;
}

/** Verifies dialers, each within a deadline and not too many at once: nobody can make the others wait. */
export class Authenticator {
  readonly #components: Components;
  readonly #options: AuthenticatorOptions;
  #pending = 0;

  constructor(components: Components, options: AuthenticatorOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Dialers being verified. */
  get pending(): number {
    return this.#pending;
  }

  /** @throws ActrError `permission_denied`, `overloaded`, `timed_out`, `unavailable`; the signal's reason. */
  async verify(claim: PeerHeaders, signal: AbortSignal): Promise<ActrId> {
    if (this.#pending >= this.#options.maxUnauthenticated) {
      throw new ActrError("overloaded", `${this.#pending} peers are being verified`, {
        retryAfterMs: 1_000,
      });
    }
    const { clock, authenticate } = this.#components;
    const limit = abortAfter(clock, this.#options.authTimeoutMs, signal);
    this.#pending++;
    try {
      return await abortable(authenticate(claim, { signal: limit.signal }), limit.signal);
    } finally {
      this.#pending--;
      limit.cancel();
    }
  }
}
