import { ActrError } from "../../errors.ts";
import { maxChain } from "../../protocol/call_chain.ts";

/**
 * Names of the turns and handlers that wait for a call, on whatever node, the outermost first. Each is a random text that
 * only those know who are called: an actor that finds one of its own turns among them lets the call in within that turn.
 */
export type CallChain = readonly string[];

/** @throws ActrError `actor.calls_too_deep` when as many wait for each other as may. */
export function requireDepth(chain: CallChain): void {
  if (chain.length <= maxChain) return;
  const message = `${maxChain} actors and handlers wait for each other already; a call may be nested no deeper`;
  throw new ActrError("actor.calls_too_deep", message, { details: { depth: maxChain } });
}
