import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../errors.ts";
import { abortAfter } from "../time_limit.ts";
import type { Input, OptionSpecs } from "./command.ts";
import { millisecondsOf } from "./counts.ts";
import { Misuse } from "./misuse.ts";

/** Options of every command that asks a running node over HTTP. */
export const nodeOptions: OptionSpecs = {
  url: { value: "URL", help: "a running node (default http://127.0.0.1:8080)" },
  timeout: { value: "MS", help: "longest wait for its answer, milliseconds (default 30000)" },
};

/** Where a running node is, and how long it may take. */
export interface NodeAddress {
  /** Base address of its HTTP endpoint, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Longest wait for one answer, milliseconds. */
  readonly timeoutMs: number;
  /** What else the user may do where no node answers; continues a sentence. */
  readonly instead?: string;
}

/** An answer that is not what was asked for. */
export interface Refusal {
  readonly url: string;
  readonly status: number;
  /** What its JSON says; undefined for other content. */
  readonly answer: unknown;
}

/** The node that {@link nodeOptions} name. @throws Misuse. */
export function nodeAddress(input: Input): NodeAddress {
  const timeoutMs = millisecondsOf(input, "timeout", 30_000);
  const url = input.value("url") ?? "http://127.0.0.1:8080";
  if (URL.canParse(url) && /^https?:\/\//.test(url)) {
    return { url: url.replace(/\/+$/, ""), timeoutMs };
  }
  throw new Misuse(`--url is ${url}; write it as http://HOST:PORT`);
}

/** Asks a node for JSON. @throws ActrError `unavailable`, `timed_out`, and what `failureOf` makes of a refusal. */
export async function askNode<Answer>(
  { url, timeoutMs, instead = "" }: NodeAddress,
  path: string,
  request: RequestInit,
  failureOf: (refusal: Refusal) => ActrError,
): Promise<Answer> {
  const limit = abortAfter(systemClock(), timeoutMs);
  const { signal } = limit;
  try {
    const response = await fetch(`${url}${path}`, { ...request, signal }).catch((cause) => {
      const message = `no node answers at ${url}; start one, or name another (--url URL)${instead}`;
      throw new ActrError("unavailable", message, { cause });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    signal.throwIfAborted();
    if (response.ok && answer !== undefined) return answer as Answer;
    throw failureOf({ url, status: response.status, answer });
  } catch (cause) {
    if (!signal.aborted) throw cause;
    const message = `${url} did not answer within ${timeoutMs} ms; --timeout allows more`;
    throw new ActrError("timed_out", message, { cause });
  } finally {
    limit.cancel();
  }
}
