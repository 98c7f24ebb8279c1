import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError } from "../../errors.ts";
import { type ActrId, formatActrId } from "../../protocol/ids.ts";
import { type Client, clientOptions, withClient } from "../client.ts";
import type { Command, Input, World } from "../command.ts";
import { countOf, millisecondsOf } from "../counts.ts";
import { oneLine } from "../failure.ts";
import { Misuse } from "../misuse.ts";

/** A route that nobody serves: every peer refuses it before any handler, and the refusal has made the way there and back. */
const pingRoute = "roost.Ping.Ping";

/** Longest wait for one answer, milliseconds. */
const answerLimitMs = 5_000;

/** How one ping ended. */
type Pong = { readonly ms: number } | { readonly error: ActrError };

/** Measures the way to a node and back. */
export const pingCommand: Command = {
  name: "ping",
  summary: "Measure how long a node takes to answer",
  arguments: { usage: "TYPE-or-ID", least: 1, most: 1 },
  options: {
    count: { value: "N", help: "so many pings (default 4), after one that connects" },
    interval: { value: "MS", help: "pause between two, milliseconds (default 1000)" },
    ...clientOptions,
  },
  example: "roost ping acme:EchoService:1.0.0 --count 10 --interval 100",

  async run(input: Input, world: World): Promise<number> {
    const count = countOf(input, "count", 4);
    const intervalMs = millisecondsOf(input, "interval", 1_000);
    let answered = 0;
    await withClient(input, world, async (client) => {
      requireTime((count - 1) * intervalMs, client.timeoutMs);
      const target = await client.peer.find(input.positionals[0] ?? "", client);
      const ping = (): Promise<Pong> => pingOnce(client, target);
      const first = await ping();
      if ("error" in first) throw first.error;
      const show = shower(formatActrId(target), input.has("json"), world);
      show.connected(first.ms);
      const times: number[] = [];
      for (let number = 1; number <= count; number += 1) {
        if (number > 1) await systemClock().sleep(intervalMs, client);
        const pong = await ping();
        client.signal.throwIfAborted();
        if ("ms" in pong) times.push(pong.ms);
        show.pong(number, pong);
      }
      show.summary(count, times);
      answered = times.length;
    });
    return answered === count ? 0 : 1;
  },
};

async function pingOnce({ peer, signal }: Client, target: ActrId): Promise<Pong> {
  const clock = systemClock();
  const startedAt = clock.monotonic();
  const elapsed = (): Pong => ({ ms: clock.monotonic() - startedAt });
  try {
    const timeoutMs = answerLimitMs;
    await peer.context.call(target, pingRoute, new Uint8Array(0), { signal, timeoutMs });
    return elapsed();
  } catch (cause) {
    const error = ActrError.from(cause);
    // Who refuses has answered; what may be tried again has not arrived, or met a node too busy to look at it.
    return error.retryable ? { error } : elapsed();
  }
}

/** Shows for people or for machines. */
function shower(target: string, json: boolean, { out }: World) {
  const print = (data: object, text: string): void => out(json ? JSON.stringify(data) : text);
  return {
    connected: (ms: number) =>
      print({ target, connectMs: rounded(ms) }, `${target} answered, connecting took ${shown(ms)}`),
    pong: (ping: number, pong: Pong) =>
      "ms" in pong
        ? print({ ping, ms: rounded(pong.ms) }, `  ${ping}  ${shown(pong.ms)}`)
        : print(
            { ping, error: pong.error.code },
            `  ${ping}  no answer: ${oneLine(pong.error.message)}`,
          ),
    summary: (sent: number, times: readonly number[]) => {
      const answered = times.length;
      if (answered === 0) return print({ sent, answered }, `0 of ${sent} answered`);
      const minMs = Math.min(...times);
      const maxMs = Math.max(...times);
      const avgMs = times.reduce((sum, ms) => sum + ms, 0) / answered;
      print(
        { sent, answered, minMs: rounded(minMs), avgMs: rounded(avgMs), maxMs: rounded(maxMs) },
        `${answered} of ${sent} answered: ${shown(minMs)} at least, ${shown(avgMs)} on average, ${shown(maxMs)} at most`,
      );
    },
  };
}

function requireTime(pausesMs: number, timeoutMs: number): void {
  if (pausesMs < timeoutMs) return;
  throw new Misuse(`--timeout is ${timeoutMs}, but the pauses alone take ${pausesMs} ms`);
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function shown(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}
