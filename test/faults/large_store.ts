import { stat } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { row } from "../conformance/store_samples.ts";

const batch = 1_000;
const rounds = 400;

/** How a full mailbox compares with an empty one. Times in milliseconds. */
export interface LargeFigures {
  readonly fileBytes: number;
  /** From the call to an open store. */
  readonly openMs: number;
  /** Quartiles of a page of 32, of either priority, with few rows and with many. */
  readonly pageMs: { readonly few: number; readonly many: number };
  /** Quartiles of put, claim and acknowledge, each committed. */
  readonly cycleMs: { readonly few: number; readonly many: number };
}

/** Fills a mailbox with rows of `payloadBytes` and measures it before, after and opened again. */
export async function measureLarge(rows: number, payloadBytes: number): Promise<LargeFigures> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "large.db");
  const options = { clock: systemClock(), random: new SeededRandom() };
  const open = (): Promise<Store> =>
    openStore(`file:${path}`, options, AbortSignal.timeout(60_000));
  const store = await open();
  await fill(store, 64, payloadBytes);
  const few = { page: await pageTime(store), cycle: await cycleTime(store, payloadBytes) };
  await fill(store, rows, payloadBytes);
  const many = { page: await pageTime(store), cycle: await cycleTime(store, payloadBytes) };
  await store.close();
  const { size: fileBytes } = await stat(path);
  const startedAt = performance.now();
  const again = await open();
  const openMs = performance.now() - startedAt;
  await again.close();
  return {
    fileBytes,
    openMs,
    pageMs: { few: few.page, many: many.page },
    cycleMs: { few: few.cycle, many: many.cycle },
  };
}

const lastSeqs = new WeakMap<Store, number>();

function nextSeq(store: Store): number {
  const seq = (lastSeqs.get(store) ?? store.opened.lastSeq) + 1;
  lastSeqs.set(store, seq);
  return seq;
}

async function fill(store: Store, rows: number, payloadBytes: number): Promise<void> {
  const payload = new Uint8Array(payloadBytes).fill(1);
  for (let done = 0; done < rows; done += batch) {
    const size = Math.min(batch, rows - done);
    await store.commit(
      Array.from({ length: size }, () => {
        return { kind: "mailbox.put", row: row(nextSeq(store), { payload }) } as const;
      }),
    );
  }
}

function pageTime(store: Store): Promise<number> {
  return quartile(async (round) => {
    await store.mailboxRows(0, 32, round % 2 === 0 ? 0 : 1);
  });
}

function cycleTime(store: Store, payloadBytes: number): Promise<number> {
  const payload = new Uint8Array(payloadBytes);
  return quartile(async () => {
    const seq = nextSeq(store);
    await store.commit([{ kind: "mailbox.put", row: row(seq, { payload }) }]);
    await store.commit([{ kind: "mailbox.claim", seq }]);
    await store.commit([{ kind: "mailbox.ack", seq }]);
  });
}

/** What a quarter of the rounds beats: the machine has other work, too. */
async function quartile(work: (round: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await work(round);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b)[rounds / 4] ?? 0;
}
