import { ActrError } from "../errors.ts";
import type { MailboxStatus } from "../inbound/mailbox.ts";
import { maxRedriveBatch, type Redriver } from "../inbound/redriver.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { encodeActrId, parseActrId } from "../protocol/ids.ts";
import { type AlarmPage, type AlarmQuery, listAlarms } from "./alarms.ts";
import {
  type Inspector,
  type LetterDetails,
  type LetterPage,
  type LetterQuery,
  type MailboxView,
  maxLettersListed,
  type PurgeResult,
  type RedriveResult,
} from "./inspector.ts";
import { letterDetails, letterView } from "./letter_view.ts";
import { pageLimit } from "./page_limit.ts";
import type { ByKind, Selection } from "./selection.ts";

/** Collaborators of {@link StoreInspector}. */
export interface StoreInspectorComponents {
  readonly clock: Clock;
  readonly store: Store;
  /** Where the schedules of actors are. @default `store` */
  readonly actorStore?: Store | undefined;
  readonly redriver: Redriver;
  /** What a running node has in memory; none for a store at rest. */
  readonly status?: () => MailboxStatus;
}

/** The letters of one batch. */
interface Batch {
  readonly ids: readonly string[];
  /** What follows when the letters up to `keptId`, if any, stay; none when this was all. */
  readonly rest: ((keptId: string | undefined) => ByKind) | undefined;
}

/** Inspects through the store: that of a running node, or one at rest. */
export class StoreInspector implements Inspector {
  readonly #components: StoreInspectorComponents;

  constructor(components: StoreInspectorComponents) {
    this.#components = components;
  }

  async mailbox(): Promise<MailboxView> {
    const { clock, store, status } = this.#components;
    const stored = await store.mailboxCounts();
    const [oldest] = await store.mailboxRows(0, 1);
    const { queuedNormal, queuedHigh, inFlight, bytes } = status?.() ?? {
      ...stored,
      inFlight: stored.claimed,
      bytes: null,
    };
    const oldestAgeMs = oldest === undefined ? null : Math.max(0, clock.now() - oldest.enqueuedAt);
    return { queuedNormal, queuedHigh, inFlight, bytes, oldestAgeMs, stored };
  }

  async deadLetters(query: LetterQuery): Promise<LetterPage> {
    const { store } = this.#components;
    const { category, from, after } = query;
    const limit = pageLimit(query, maxLettersListed);
    const letters = await store.deadLetters(limit, {
      ...(category === undefined ? {} : { category }),
      ...(from === undefined ? {} : { from: encodeActrId(parseActrId(from)) }),
      ...(after === undefined ? {} : { after }),
    });
    const next = letters.length < limit ? null : (letters.at(-1)?.id ?? null);
    return { letters: letters.map(letterView), next, stats: await store.deadLetterStats() };
  }

  async deadLetter(id: string): Promise<LetterDetails> {
    const letter = await this.#components.store.deadLetter(id);
    if (letter !== undefined) return letterDetails(letter);
    throw new ActrError("not_found", `there is no dead letter ${id}`);
  }

  alarms(query: AlarmQuery): Promise<AlarmPage> {
    const { store, actorStore = store } = this.#components;
    return listAlarms(actorStore, query);
  }

  async redrive(selection: Selection): Promise<RedriveResult> {
    const { ids, rest } = await this.#batch(selection);
    const { redriven, kept, missing } = await this.#components.redriver.redrive(ids);
    const next = rest?.(kept.at(-1)?.id) ?? null;
    return { redriven: redriven.length, kept, missing, next };
  }

  async purge(selection: Selection): Promise<PurgeResult> {
    const { ids, rest } = await this.#batch(selection);
    const { purged, missing } = await this.#components.redriver.purge(ids);
    return { purged: purged.length, missing, next: rest?.(undefined) ?? null };
  }

  async #batch(selection: Selection): Promise<Batch> {
    if ("ids" in selection) return { ids: selection.ids, rest: undefined };
    const { clock, store } = this.#components;
    const { category, after, before = clock.now() + 1 } = selection;
    const letters = await store.deadLetters(maxRedriveBatch, {
      first: "oldest",
      ...(category === undefined ? {} : { category }),
      ...(after === undefined ? {} : { after }),
    });
    const ids = letters.filter(({ createdAt }) => createdAt < before).map(({ id }) => id);
    // A letter that is redriven or purged is gone, so the next batch follows the last one that stays.
    const rest = (keptId = after): ByKind => ({
      ...selection,
      before,
      ...(keptId === undefined ? {} : { after: keptId }),
    });
    return { ids, rest: ids.length < maxRedriveBatch ? undefined : rest };
  }
}
