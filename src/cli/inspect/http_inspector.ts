import { ActrError, errorCodes, type NodeErrorCode } from "../../errors.ts";
import type { AlarmPage, AlarmQuery } from "../../inspector/alarms.ts";
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
import { askNode, type NodeAddress, type Refusal } from "../ask_node.ts";

/** A node to inspect. */
export interface HttpInspectorOptions extends NodeAddress {
  readonly token: string;
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
    return this.#ask(`/dead-letters?${parameters(query)}`);
  }

  deadLetter(id: string): Promise<LetterDetails> {
    return this.#ask(`/dead-letters/${encodeURIComponent(id)}`);
  }

  alarms(query: AlarmQuery): Promise<AlarmPage> {
    return this.#ask(`/alarms?${parameters(query)}`);
  }

  redrive(selection: Selection): Promise<RedriveResult> {
    return this.#ask("/dead-letters/redrive", selection);
  }

  purge(selection: Selection): Promise<PurgeResult> {
    return this.#ask("/dead-letters/purge", selection);
  }

  #ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#options.token}` };
    const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const node = { ...this.#options, instead: ", or its store at rest (--store FILE)" };
    return askNode(node, `/inspect${path}`, { headers, ...post }, failureOf);
  }
}

function parameters(query: LetterQuery | AlarmQuery): URLSearchParams {
  return new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

/** The node's own error, or why there is none. */
function failureOf({ status, answer, url }: Refusal): ActrError {
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
