import { type ActrId, encodeActrId, formatActrId } from "../protocol/ids.ts";

/** A remote node's identity in the three forms that the hot path needs, made once per link. */
export class Peer {
  readonly id: ActrId;
  /** Canonical text form: the key of every table. */
  readonly key: string;
  #bytes: Uint8Array | undefined;

  constructor(id: ActrId) {
    this.id = id;
    this.key = formatActrId(id);
  }

  /** Encoded ActrId, as a mailbox row stores it. */
  get bytes(): Uint8Array {
    this.#bytes ??= encodeActrId(this.id);
    return this.#bytes;
  }
}
