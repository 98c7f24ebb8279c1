import { ActrError, type ErrorCode, errorCodes } from "../../errors.ts";
import type {
  Inspector,
  LetterDetails,
  LetterPage,
  LetterQuery,
  MailboxView,
  PurgeResult,
  RedriveResult,
} from "../../inspector/inspector.ts";
import type { Selection } from "../../inspector/selection.ts";

/** Where a running node is, and how to ask it. */
export interface HttpInspectorOptions {
  /** Base address of its HTTP endpoint, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly token: string;
  /** Longest wait for one answer, milliseconds. */
  readonly timeoutMs: number;
}

/** Inspects a running node over HTTP. Every failure is an ActrError: the node's own, `unavailable` or `timed_out`. */
export class HttpInspector implements Inspector {
  readonly #options: HttpInspectorOptions;

  constructor(options: HttpInspectorOptions) {
    this.#options = options;
  }

  mailbox(): Promise<MailboxView> {
    return this.#ask("/mailbox");
  }

  deadLetters(query: LetterQuery): Promise<LetterPage> {
    const entries = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return this.#ask(`/dead-letters?${new URLSearchParams(entries)}`);
  }

  deadLetter(id: string): Promise<LetterDetails> {
    return this.#ask(`/dead-letters/${encodeURIComponent(id)}`);
  }

  redrive(selection: Selection): Promise<RedriveResult> {
    return this.#ask("/dead-letters/redrive", selection);
  }

  purge(selection: Selection): Promise<PurgeResult> {
    return this.#ask("/dead-letters/purge", selection);
  }

  async #ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const { url, token } = this.#options;
    const response = await this.#fetch(`${url}/inspect${path}`, {
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer as Answer;
    throw failureOf(response.status, answer, url);
  }

  async #fetch(address: string, init: RequestInit): Promise<Response> {
    const { url, timeoutMs } = this.#options;
    try {
      return await fetch(address, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      if ((cause as Error).name === "TimeoutError") {
        const message = `${url} did not answer within ${timeoutMs} ms; --timeout allows more`;
        throw new ActrError("timed_out", message, { cause });
      }
      const message = `no node answers at ${url}; start one, name another (--url URL), or its store at rest (--store FILE)`;
      throw new ActrError("unavailable", message, { cause });
    }
  }
}

/** The node's own error, or why there is none. */
function failureOf(status: number, answer: unknown, url: string): ActrError {
  const { code, message } =
    (answer as { error?: { code?: unknown; message?: unknown } })?.error ?? {};
  if (status === 401) {
    const mend = "give the node's own: --token TOKEN or ROOST_INSPECT_TOKEN";
    return new ActrError("permission_denied", `${url} refuses this inspection token; ${mend}`);
  }
  if (errorCodes.includes(code as ErrorCode))
    return new ActrError(code as ErrorCode, String(message));
  const mend = "start that node with ROOST_INSPECT_TOKEN, or update it";
  return new ActrError("not_found", `${url} shows no /inspect (status ${status}); ${mend}`);
}
