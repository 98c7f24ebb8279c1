import { resumeOffer } from "../protocol/actors/resume.ts";

/** So many messages, or bytes, of the node are taken before it is told that they are. */
const ackMessages = 64;
const ackBytes = 128 * 1024;

/** What one end of a connection remembers to go on with it over another socket (`protocol/actors/resume.ts`). */
export class LinkMemory {
  #connectionId = "";
  #secret: string | undefined;
  /** Messages of the node that have come. */
  #received = 0;
  #unacknowledged = 0;
  #unacknowledgedBytes = 0;
  /** Messages to the node that it may not have. */
  #kept: Uint8Array<ArrayBuffer>[] = [];
  /** Those before them, which it has. */
  #confirmed = 0;

  /** Whether the connection can go on over another socket. */
  get canResume(): boolean {
    return this.#secret !== undefined;
  }

  /** What another socket is opened with. */
  get offer(): string {
    if (this.#secret === undefined) return resumeOffer;
    return `${resumeOffer}.${this.#connectionId}.${this.#secret}.${this.#received}`;
  }

  /** Another connection begins. */
  begin(connectionId: string): void {
    this.forget();
    this.#connectionId = connectionId;
  }

  /** It can be resumed; messages of the node count from here. */
  enable(secret: string): void {
    this.#secret = secret;
    this.#received = 0;
  }

  /** It cannot be resumed any more. */
  forget(): void {
    this.#secret = undefined;
    this.#kept = [];
    this.#confirmed = 0;
  }

  /** Keeps a message that is sent; its number. */
  keep(message: Uint8Array<ArrayBuffer>): number {
    this.#kept.push(message);
    return this.#confirmed + this.#kept.length;
  }

  /** The node has all messages up to this number; those after it are returned. */
  confirm(number: number): readonly Uint8Array<ArrayBuffer>[] {
    this.#kept.splice(0, Math.max(0, number - this.#confirmed));
    this.#confirmed = Math.max(this.#confirmed, number);
    return this.#kept;
  }

  /** A message of the node has come; returns how many have if the node is to be told. */
  hear(bytes: number): number | undefined {
    if (this.#secret === undefined) return undefined;
    this.#received += 1;
    this.#unacknowledged += 1;
    this.#unacknowledgedBytes += bytes;
    if (this.#unacknowledged < ackMessages && this.#unacknowledgedBytes < ackBytes)
      return undefined;
    this.#unacknowledged = 0;
    this.#unacknowledgedBytes = 0;
    return this.#received;
  }
}
