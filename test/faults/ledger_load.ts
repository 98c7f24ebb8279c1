import { delay } from "#async";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import { type MethodCodec, methodCodecs } from "../../src/protocol/service.ts";
import { type Effect, LedgerService } from "../fixtures/ledger_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { requestPrefix } from "./ledger_protocol.ts";

/** Ways to have an entry take effect; each ends with the sender knowing that it counts. */
const ways = ["durable tell", "durable call", "plain call"] as const;
const sendersEach = 2;
/** One in so many requests is repeated once it is answered. */
const repeatEvery = 4;
const pauseMs = 25;
/** For one request, through any number of deaths. */
const timeoutMs = 120_000;

interface Sending {
  readonly way: (typeof ways)[number];
  readonly entry: string;
  readonly requestId: string;
}

const [plain, durable] = methodCodecs(LedgerService) as [MethodCodec, MethodCodec];

/** A node with a rendezvous, for ledgers to register at and senders to call from. */
export async function openCaller(): Promise<Served> {
  const { serve } = await adapter();
  const outbound = { reliableAttempts: 10_000, reliablePausesMs: [pauseMs] };
  return serve(defineNode({ options: { outbound } }), {
    port: 0,
    hostname: "127.0.0.1",
    log: silentLogger(),
  });
}

/** Senders that load a ledger until told to stop, each retrying under the same request id until it is answered. */
export class LedgerLoad {
  /** Entries whose sender knows that they count. */
  readonly answered = new Set<string>();
  /** Answers that told of more than one effect, or of one told of before; repeats that got another answer. */
  wrongAnswers = 0;
  /** Rejects when a sender fails, which ends it. */
  readonly failed: Promise<never>;
  readonly #positions = new Set<number>();
  readonly #caller: Served;
  readonly #target: ActrId;
  /** Begins every request id: two ledgers never get the same one. */
  readonly #prefix: string;
  readonly #senders: Promise<void>[];
  readonly #abandoned = new AbortController();
  #running = true;

  constructor(caller: Served, target: ActrId) {
    this.#caller = caller;
    this.#target = target;
    this.#prefix = `${requestPrefix}${target.serial}-`;
    this.#senders = ways.flatMap((way) =>
      Array.from({ length: sendersEach }, (_, n) => this.#send(way, `${way}-${n}`)),
    );
    this.failed = new Promise((_, reject) => {
      for (const sender of this.#senders) sender.catch(reject);
    });
    // Nobody may be waiting for it.
    this.failed.catch(() => {});
  }

  /** No new entries; resolves when everything sent has been answered. */
  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#senders);
  }

  /** Ends all that is under way. Idempotent. */
  abandon(): void {
    this.#running = false;
    this.#abandoned.abort();
  }

  async #send(way: Sending["way"], name: string): Promise<void> {
    for (let n = 0; this.#running; n++) {
      const entry = `${name}-${n}`;
      const sending: Sending = { way, entry, requestId: `${this.#prefix}${entry}` };
      const answer = await this.#deliver(sending);
      this.answered.add(entry);
      this.#check(answer);
      if (n % repeatEvery === 0) await this.#repeat(sending, answer);
      await delay(1);
    }
  }

  /** A durable tell is answered before it takes effect, with nothing. */
  #check(answer: Uint8Array): void {
    if (answer.length === 0) return;
    const { times, position } = plain.decodeResponse(answer) as Effect;
    if (times !== 1 || this.#positions.has(position)) this.wrongAnswers += 1;
    this.#positions.add(position);
  }

  /** A repeat of an answered request gets the same answer, also from the process that came after. */
  async #repeat(sending: Sending, answer: Uint8Array): Promise<void> {
    const again = await this.#deliver(sending);
    if (Buffer.compare(again, answer) !== 0) this.wrongAnswers += 1;
  }

  /** Sends one entry; while the node is away for good as far as anybody knows, again under its request id. */
  async #deliver(sending: Sending): Promise<Uint8Array> {
    for (;;) {
      try {
        return await this.#deliverOnce(sending);
      } catch (error) {
        if (!ActrError.is(error) || !mayRetry(error)) throw error;
        await delay(pauseMs);
      }
    }
  }

  async #deliverOnce({ way, entry, requestId }: Sending): Promise<Uint8Array> {
    const { context } = this.#caller;
    const body = plain.encodeRequest({ id: entry });
    const options = { requestId, timeoutMs, signal: this.#abandoned.signal };
    switch (way) {
      case "durable tell":
        await context.tell(this.#target, durable.routeKey, body, { ...options, durable: true });
        return new Uint8Array(0);
      case "durable call":
        return context.call(this.#target, durable.routeKey, body, options);
      case "plain call":
        return context.call(this.#target, plain.routeKey, body, options);
    }
  }
}

/** The node is away for good as far as anybody knows, or says itself that a retry may help. */
function mayRetry(error: ActrError): boolean {
  return error.retryable || error.details?.["reason"] === "no_route";
}
