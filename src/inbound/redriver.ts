import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeadLetter, Priority, Store } from "../ports/store.ts";
import { durableMetadata, isDurableSend } from "../protocol/durable.ts";
import {
  decodeEnvelope,
  directions,
  encodeEnvelope,
  type RpcEnvelope,
} from "../protocol/envelope.ts";
import { decodeActrId } from "../protocol/ids.ts";
import { Peer } from "../session/peer.ts";
import { type AdmissionComponents, admit } from "./admission.ts";
import type { Dedup } from "./dedup.ts";
import type { Mailbox } from "./mailbox.ts";
import type { RowMaker } from "./row_maker.ts";

/** Most dead letters worked on at once. */
export const maxRedriveBatch = 100;

/** What a node that runs adds: who may call what, and the mailbox that hands out. */
export interface LiveInbound {
  readonly admission: AdmissionComponents;
  readonly mailbox: Mailbox;
  readonly dedup: Dedup;
}

/** Collaborators of {@link Redriver}. */
export interface RedriverComponents {
  readonly clock: Clock;
  readonly store: Store;
  readonly rows: RowMaker;
  /** None for a store at rest: the node that opens it next handles what is put there. */
  readonly live?: LiveInbound;
}

/** A letter that stays, its attempt counted, and why. */
export interface KeptLetter {
  readonly id: string;
  readonly reason: string;
}

/** What became of the letters of one batch. */
export interface Redriven {
  /** Ids of letters that are messages again. */
  readonly redriven: readonly string[];
  readonly kept: readonly KeptLetter[];
  /** Ids that no letter has. */
  readonly missing: readonly string[];
}

/** What became of letters that were to be deleted, by id. */
export interface Purged {
  readonly purged: readonly string[];
  readonly missing: readonly string[];
}

/** A letter that can be handled: the message that it becomes, still without its row. */
interface Revived {
  readonly envelope: RpcEnvelope;
  readonly payload: Uint8Array;
  readonly from: Peer;
  readonly priority: Priority;
}

/** Puts dead letters back into the mailbox: each one's new row and its end as a letter are one commit. */
export class Redriver {
  readonly #components: RedriverComponents;
  #busy = false;

  constructor(components: RedriverComponents) {
    this.#components = components;
  }

  /**
   * Makes messages of at most {@link maxRedriveBatch} letters, in the order given; they are handled anew.
   * What cannot be decoded, or would be refused, stays a letter.
   * @throws ActrError `overloaded` when the mailbox is full or another batch is under way: then nothing was done;
   * `storage` when a write failed: what could not be written is still a letter.
   */
  redrive(ids: readonly string[]): Promise<Redriven> {
    return this.#alone(ids, async (letters) => {
      this.#components.live?.mailbox.requireRoom();
      // All rows are made and handed over in one turn, so that their numbers ascend and their commits are one write.
      const kept = await Promise.all(letters.map((letter) => this.#redriveOne(letter)));
      const keptIds = new Set(kept.map((each) => each?.id));
      return {
        redriven: letters.map(({ id }) => id).filter((id) => !keptIds.has(id)),
        kept: kept.filter((each) => each !== undefined),
      };
    });
  }

  /** Deletes at most {@link maxRedriveBatch} letters for good, in one commit. @throws ActrError `overloaded`, `storage`: then nothing was done. */
  purge(ids: readonly string[]): Promise<Purged> {
    return this.#alone(ids, async (letters) => {
      const purged = letters.map(({ id }) => id);
      await this.#components.store.commit(purged.map((id) => ({ kind: "deadLetter.delete", id })));
      return { purged };
    });
  }

  /** One batch at a time: no letter may become two messages. */
  async #alone<Result>(
    given: readonly string[],
    work: (letters: readonly DeadLetter[]) => Promise<Result>,
  ): Promise<Result & { readonly missing: readonly string[] }> {
    const ids = [...new Set(given)];
    if (ids.length > maxRedriveBatch) {
      throw new RangeError(`${ids.length} dead letters at once; at most ${maxRedriveBatch}`);
    }
    if (this.#busy) {
      const reason = "other dead letters are being redriven or purged; try again";
      throw new ActrError("overloaded", reason, { retryAfterMs: 100 });
    }
    this.#busy = true;
    try {
      const found = await Promise.all(ids.map((id) => this.#components.store.deadLetter(id)));
      const letters = found.filter((letter) => letter !== undefined);
      const result = await work(letters);
      return { ...result, missing: ids.filter((_, at) => found[at] === undefined) };
    } finally {
      this.#busy = false;
    }
  }

  /** Why the letter stays one, if so. */
  async #redriveOne(letter: DeadLetter): Promise<KeptLetter | undefined> {
    const { clock, store, rows, live } = this.#components;
    const { id } = letter;
    let revived: Revived;
    try {
      revived = this.#revive(letter);
    } catch (error) {
      await store.commit([{ kind: "deadLetter.redrive", id, at: clock.now() }]);
      return { id, reason: ActrError.from(error, "decode_failure").message };
    }
    const { from, envelope, payload, priority } = revived;
    const row = rows.row(payload, from.bytes, priority);
    const end = { kind: "deadLetter.delete", id } as const;
    if (live === undefined) {
      await store.commit([{ kind: "mailbox.put", row }, end]);
    } else {
      const forgotten = live.dedup.forgetFailure(from.key, envelope.requestId);
      await live.mailbox.putAside(row, [...forgotten, end]);
    }
    return undefined;
  }

  /** @throws ActrError for a letter that could not be handled now either. */
  #revive({ from, rawBytes, context }: DeadLetter): Revived {
    if (from === null) throw new ActrError("decode_failure", "its sender is not known");
    const sender = new Peer(decodeActrId(from));
    const envelope = decodeEnvelope(rawBytes);
    const { direction } = envelope;
    if (direction !== directions.request && direction !== directions.tell) {
      throw new ActrError("decode_failure", `its direction is ${direction}; it asks for nothing`);
    }
    const { live } = this.#components;
    if (live !== undefined) admit({ from: sender, envelope }, live.admission);
    return { ...unawaited(envelope, rawBytes), from: sender, priority: priorityOf(context) };
  }
}

/**
 * A letter's request has nobody left to be answered. It is stored as a durable send, whose sender has
 * its answer already, so that it becomes a dead letter again when it fails again.
 */
function unawaited(
  envelope: RpcEnvelope,
  rawBytes: Uint8Array,
): Pick<Revived, "envelope" | "payload"> {
  const { direction, metadata } = envelope;
  if (direction === directions.tell || isDurableSend(metadata)) {
    return { envelope, payload: rawBytes };
  }
  const send = { ...envelope, metadata: [...metadata, ...durableMetadata] };
  return { envelope: send, payload: encodeEnvelope(send) };
}

/** The priority that the letter's origin tells. */
function priorityOf(context: string | null): Priority {
  try {
    const origin = JSON.parse(context ?? "{}") as { readonly priority?: unknown } | null;
    return origin?.priority === "high" ? 1 : 0;
  } catch {
    return 0;
  }
}
