import { ActrError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import { toHex } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { unacceptable } from "../ais/unacceptable.ts";
import { RecordTable } from "../record_table.ts";

/** A package whose manifest alone lets its nodes register. */
export interface PublishedPackage {
  /** Text form of its ActrType. */
  readonly type: string;
  /** Target triple of its binary. */
  readonly target: string;
  /** Hexadecimal. */
  readonly manifestSha256: string;
  /** Unix milliseconds. */
  readonly publishedAt: number;
  /** Its nodes register no more, not even with a proof of the manufacturer. */
  readonly revoked?: true;
}

const space = "rendezvous.packages";

/** The packages that were published here: one for a type and target, for ever. */
export class Packages {
  readonly #kept: RecordTable<PublishedPackage>;

  private constructor(kept: RecordTable<PublishedPackage>) {
    this.#kept = kept;
  }

  /** @throws ActrError `storage`. */
  static async open(store: Store): Promise<Packages> {
    return new Packages(await RecordTable.open(store, space));
  }

  list(): PublishedPackage[] {
    return [...this.#kept.values()];
  }

  /** The package of a type and target, also a revoked one, as the store has it now. @throws ActrError `storage`. */
  find(type: string, target: string): Promise<PublishedPackage | undefined> {
    return this.#kept.load(keyOf(type, target));
  }

  /** Publishes a package at `now`, Unix milliseconds, durably. @throws ActrError `invalid_argument`, details `reason` `exists`; `storage`. */
  async publish(
    { type, target, manifest }: { type: string; target: string; manifest: Uint8Array },
    now: number,
  ): Promise<PublishedPackage> {
    const manifestSha256 = toHex(await sha256(manifest));
    const published = { type, target, manifestSha256, publishedAt: now };
    return await this.#kept.update(keyOf(type, target), (old) => {
      if (old === undefined) return published;
      throw unacceptable(`${type} for ${target} is published; raise its version`, "exists");
    });
  }

  /** Takes a package back, durably: its nodes register no more. @throws ActrError `not_found`; `storage`. */
  async revoke(type: string, target: string): Promise<PublishedPackage> {
    return await this.#kept.update(keyOf(type, target), (old) => {
      if (old !== undefined) return { ...old, revoked: true as const };
      throw new ActrError("not_found", `${type} for ${target} is not published`);
    });
  }
}

function keyOf(type: string, target: string): string {
  return `${type}/${target}`;
}
