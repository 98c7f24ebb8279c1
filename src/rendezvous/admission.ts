import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { parseSignalingQuery } from "../protocol/signaling_query.ts";
import { CredentialCheck } from "./ais/credential_check.ts";
import type { KeyRing } from "./ais/keys.ts";
import type { Realms } from "./ais/realms.ts";
import type { Registrations } from "./ais/registrations.ts";
import type { Arrival } from "./signaling_socket.ts";

/** What admission asks. */
export interface AdmissionComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly keys: KeyRing;
  readonly realms: Realms;
  readonly registrations: Registrations;
}

/** Decides by the query of an upgrade who comes in. */
export class Admission {
  readonly #components: AdmissionComponents;

  constructor(components: AdmissionComponents) {
    this.#components = components;
  }

  /** The node that the query proves; undefined when it proves none (`spec/protocol.md` §7.1). */
  async admit(query: URLSearchParams): Promise<Arrival | undefined> {
    try {
      return await this.#arrival(query);
    } catch (error) {
      const { code, message } = ActrError.from(error);
      // The query is a bearer credential: only the reason may be written.
      this.#components.log.info("rendezvous.signaling.refused", {
        error_code: code,
        reason: message,
      });
      if (code === "storage" || code === "internal") throw error;
      return undefined;
    }
  }

  async #arrival(query: URLSearchParams): Promise<Arrival> {
    const { clock, keys, realms, registrations } = this.#components;
    const { id, credential, webrtcRole } = parseSignalingQuery(query);
    const refusal = await realms.arrivalRefusal(id.realm);
    if (refusal !== undefined) throw new ActrError("permission_denied", refusal.message);
    const credentials = new CredentialCheck(keys, clock, id);
    await credentials.check(credential);
    const { profile = {} } = (await registrations.get(id)) ?? {};
    return { id, profile, credentials, answersOnly: webrtcRole === "answer" };
  }
}
