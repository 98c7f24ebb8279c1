import { systemClock } from "../../../adapters/system_clock.ts";
import { ActrError, errorCodes, type NodeErrorCode } from "../../errors.ts";
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
import { abortAfter } from "../../time_limit.ts";

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
    const { url, timeoutMs } = this.#options;
    const limit = abortAfter(systemClock(), timeoutMs);
    try {
      const response = await this.#fetch(path, body, limit.signal);
      const answer: unknown = await response.json().catch(() => undefined);
      limit.signal.throwIfAborted();
      if (response.ok && answer !== undefined) return answer as Answer;
      throw failureOf(response.status, answer, url);
    } catch (cause) {
      if (!limit.signal.aborted) throw cause;
      const message = `${url} did not answer within ${timeoutMs} ms; --timeout allows more`;
      throw new ActrError("timed_out", message, { cause });
    } finally {
      limit.cancel();
    }
  }

  async #fetch(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#options;
    const headers = { authorization: `Bearer ${token}` };
    const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    try {
      return await fetch(`${url}/inspect${path}`, { headers, signal, ...post });
    } catch (cause) {
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
  if (errorCodes.includes(code as NodeErrorCode))
    return new ActrError(code as NodeErrorCode, String(message));
  const mend = "start that node with ROOST_INSPECT_TOKEN, or update it";
  return new ActrError("not_found", `${url} shows no /inspect (status ${status}); ${mend}`);
}
