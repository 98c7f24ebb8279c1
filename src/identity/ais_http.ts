import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { withinLimit } from "../time_limit.ts";
import { classifyFailure, issueError, retryAfterSeconds } from "./issue_failure.ts";

/** The part of the runtime's `fetch` that identity uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Limit of one exchange, milliseconds (`spec/protocol.md` §13). */
const exchangeLimitMs = 30_000;
/** Largest answer read, bytes; a real one has about 500. */
const maxAnswerBytes = 65_536;
const mediaType = "application/x-protobuf";

/** One exchange with the identity service. */
export interface AisExchange {
  /** `registration`, `renewal` or `reissue`, for errors. */
  readonly what: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Posts a message and returns the bytes of a 2xx answer. @throws ActrError `registration`, details `failure`, `status`; the signal's reason. */
export async function postToAis(
  { fetch, clock }: { readonly fetch: Fetch; readonly clock: Clock },
  exchange: AisExchange,
): Promise<Uint8Array<ArrayBuffer>> {
  const { what, signal } = exchange;
  try {
    return await withinLimit(clock, { what, ms: exchangeLimitMs, signal }, (inner) =>
      send(fetch, exchange, inner),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (ActrError.is(error) && error.code === "registration") throw error;
    throw issueError(
      what,
      "Retryable",
      `cannot reach ${exchange.url}: ${ActrError.from(error).message}; is a rendezvous running there?`,
      {
        cause: error,
      },
    );
  }
}

async function send(
  fetch: Fetch,
  { what, url, headers, body }: AisExchange,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": mediaType, accept: mediaType, ...headers },
    body,
    signal,
    // A redirect would carry the secret to a place that nobody configured.
    redirect: "error",
  });
  if (response.ok) return await readLimited(what, response);
  await response.body?.cancel();
  throw statusError(what, response);
}

function statusError(what: string, { status, headers }: Response): ActrError {
  const seconds = retryAfterSeconds(headers.get("retry-after"));
  return issueError(
    what,
    classifyFailure(status),
    `the identity service answered with status ${status}`,
    {
      status,
      ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1_000 }),
    },
  );
}

async function readLimited(what: string, { body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  // Not every browser can iterate over a body.
  const reader = body?.getReader();
  const read = async () => (await reader?.read())?.value;
  for (let part = await read(); part !== undefined; part = await read()) {
    length += part.length;
    if (length > maxAnswerBytes) {
      await reader?.cancel();
      throw issueError(what, "Protocol", `the answer is longer than ${maxAnswerBytes} bytes`);
    }
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
