import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { AclRule } from "../../../src/define.ts";
import { resolveRules } from "../../../src/inbound/acl.ts";
import { defaultNodeOptions, type StreamOptions } from "../../../src/options.ts";
import type { ResolvedRule } from "../../../src/protocol/acl.ts";
import { type DataChunk, encodeDataChunk } from "../../../src/protocol/data_chunk.ts";
import { type Lane, lanes } from "../../../src/protocol/frame.ts";
import { Peer } from "../../../src/session/peer.ts";
import { StreamRegistry } from "../../../src/streams/stream_registry.ts";
import type { StreamFailure } from "../../../src/streams/stream_tally.ts";
import { RecordingLogger } from "../identity/support.ts";
import { FakeLink, peerId } from "../session/support.ts";

/** The stream that tests use unless they name another. */
export const streamId = "s";

/** A registry with what it told. */
export interface RegistryRig {
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly registry: StreamRegistry;
  readonly failures: StreamFailure[];
}

export function registryRig(
  options: Partial<StreamOptions> = {},
  acl?: readonly AclRule[],
): RegistryRig {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const failures: StreamFailure[] = [];
  const rules: ResolvedRule[] | undefined = acl && resolveRules(acl, 1001);
  const registry = new StreamRegistry(
    {
      clock,
      log,
      rules,
      selfId: () => peerId(1),
      onFailure: (failure) => void failures.push(failure),
    },
    { ...defaultNodeOptions.streams, ...options },
  );
  return { clock, log, registry, failures };
}

/** How one chunk comes. */
export interface Arrival {
  readonly id?: string;
  readonly lane?: Lane;
  readonly metadata?: DataChunk["metadata"];
}

/** A peer that sends chunks on one link. */
export class ChunkPeer {
  readonly peer: Peer;
  readonly link: FakeLink;
  readonly #registry: StreamRegistry;

  constructor({ registry }: Pick<RegistryRig, "registry">, serial = 7) {
    this.#registry = registry;
    this.link = new FakeLink(peerId(serial), "inbound");
    this.peer = new Peer(this.link.peer);
  }

  /** What holds the link since the last chunk. */
  held: Promise<void> | undefined;

  /** A chunk with `text` arrives. */
  send(text: string, arrival: Arrival = {}): void {
    const { id = streamId, lane = lanes.streamReliable, metadata = [] } = arrival;
    const payload = new TextEncoder().encode(text);
    const body = encodeDataChunk({ streamId: id, sequence: 0n, payload, metadata });
    this.held = this.#registry.receive({ lane, body }, this.peer, this.link) ?? undefined;
  }
}

/** The text of a chunk. */
export function textOf({ payload }: DataChunk): string {
  return new TextDecoder().decode(payload);
}

/** A handler that writes down what it gets, each chunk only when the test lets it go on. */
export class SlowHandler {
  readonly begun: string[] = [];
  readonly done: string[] = [];
  readonly #going: (() => void)[] = [];

  readonly take = async (chunk: DataChunk): Promise<void> => {
    const text = textOf(chunk);
    this.begun.push(text);
    await new Promise<void>((resolve) => this.#going.push(resolve));
    this.done.push(text);
  };

  /** Lets the chunk being handled go on, and what follows begin. */
  async release(count = 1): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.#going.shift()?.();
      await turns();
    }
  }
}

/** Lets promises that are settled be heard of. */
export async function turns(count = 5): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}

/** Whether `promise` settles within a few turns. */
export async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await turns(10);
  return settled;
}
