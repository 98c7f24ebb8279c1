import { ActrError } from "../../src/errors.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import type { PeerHeaders } from "../../src/protocol/peer_headers.ts";
import type { Authenticate } from "../../transports/authenticate.ts";

const type = { manufacturer: "acme", name: "Peer", version: "1.0.0" };

/** The dialing peer. */
export const nearId: ActrId = { realm: 1001, serial: 1n, type };

/** The listening peer. */
export const farId: ActrId = { realm: 1001, serial: 2n, type };

/** What a peer dials with; here a credential holds when it names its source. */
export function claimOf(source: ActrId, named: ActrId = source): PeerHeaders {
  const claims = new TextEncoder().encode(formatActrId(named));
  return { source, credential: { keyId: 1, claims, signature: new Uint8Array(64) } };
}

/** Believes a credential that names its source, after `hold` is released. */
export class FakeVerifier {
  #held: Promise<void> = Promise.resolve();

  hold(): () => void {
    let release: () => void = () => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  readonly authenticate: Authenticate = async ({ source, credential }) => {
    await this.#held;
    if (new TextDecoder().decode(credential.claims) === formatActrId(source)) return source;
    throw new ActrError("permission_denied", "the credential names another peer");
  };
}

/** Writes nothing. */
export const silent: Logger = {
  enabled: () => false,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
};
