import type { IdentitySnapshot } from "../identity/session_state.ts";

/** Who is told when signaling doubts the credential; the credential keeper is one. */
export interface CredentialWatch {
  /** The credential of this snapshot was refused. */
  refused(identity: IdentitySnapshot): void;
  /** The credential will not be accepted for long. */
  warned(): void;
}
