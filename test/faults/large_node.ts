import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { directions, encodeEnvelope } from "../../src/protocol/envelope.ts";
import { encodeActrId } from "../../src/protocol/ids.ts";
import { methodCodecs } from "../../src/protocol/service.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { peerId } from "../unit/session/support.ts";

/** What a node says when it is ready. */
export interface LargeNodeReady {
  /** From the call of `serve` to its end, milliseconds. */
  readonly readyMs: number;
  /** Messages in its mailbox then. */
  readonly waiting: number;
  /** Messages that it had handled by then. */
  readonly handledBefore: number;
  /** Bytes of memory. */
  readonly rss: number;
}

/** What a node says when its mailbox is empty. */
export interface LargeNodeDone {
  readonly handled: number;
  /** Messages handled before or after their turn. */
  readonly misplaced: number;
  readonly drainMs: number;
  readonly peakRss: number;
}

/** How a node starts over a store, and handles what waits there. */
export interface LargeNodeFigures extends LargeNodeReady, LargeNodeDone {
  readonly fileBytes: number;
}

const program = fileURLToPath(new URL("large_program.ts", import.meta.url));
const batch = 1_000;

/** Fills a store with `rows` tells of `payloadBytes` and has a process of its own serve it until they are handled. */
export async function measureNode(rows: number, payloadBytes: number): Promise<LargeNodeFigures> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "large.db");
  await fill(`file:${path}`, rows, payloadBytes);
  const { size: fileBytes } = await stat(path);
  await using node = new Program(thisRuntime, program, [`file:${path}`]);
  const ready = await node.line<LargeNodeReady>(120_000);
  const done = await node.line<LargeNodeDone>(600_000);
  return { fileBytes, ...ready, ...done };
}

/** Puts so many tells into the mailbox of a store. */
export async function fill(url: string, rows: number, payloadBytes: number): Promise<void> {
  const options = { clock: systemClock(), random: new SeededRandom() };
  await using store = await openStore(url, options, AbortSignal.timeout(60_000));
  const from = encodeActrId(peerId(2));
  for (let done = 0; done < rows; done += batch) {
    const size = Math.min(batch, rows - done);
    await store.commit(
      Array.from({ length: size }, (_, n) => {
        const row = {
          seq: store.opened.lastSeq + done + n + 1,
          id: `row-${done + n}`,
          from,
          payload: numberedTell(done + n, payloadBytes),
          priority: 0,
          enqueuedAt: 1_700_000_000_000,
          attempts: 0,
          notBefore: 0,
        } as const;
        return { kind: "mailbox.put", row } as const;
      }),
    );
  }
}

/** A tell that begins with its number. */
function numberedTell(number: number, payloadBytes: number): Uint8Array {
  const [echo] = methodCodecs(ProbeService);
  if (echo === undefined) throw new TypeError("the service has no method");
  const data = new Uint8Array(Math.max(4, payloadBytes));
  new DataView(data.buffer).setUint32(0, number);
  return encodeEnvelope({
    routeKey: echo.routeKey,
    payload: echo.encodeRequest({ data }),
    direction: directions.tell,
    requestId: `waiting-${number}`,
    metadata: [],
    timeoutMs: 0,
  });
}
