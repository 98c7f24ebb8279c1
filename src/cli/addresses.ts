import type { Served } from "../../adapters/serve/options.ts";
import { formatActrId } from "../protocol/ids.ts";
import type { World } from "./command.ts";
import { shownStore } from "./settings/store_address.ts";

/** What is shown beside the addresses. */
export interface AddressOptions {
  readonly store: string;
  /** As one JSON object. */
  readonly json: boolean;
  /** Whether the node can be inspected. */
  readonly inspects: boolean;
  /** The inspection token, where it was made up and nobody knows it yet. */
  readonly inspectToken?: string;
}

/** Shows where a node and what it stands on are reached. */
export function printAddresses(
  served: Served,
  { json, inspects, inspectToken: token, ...options }: AddressOptions,
  { out }: World,
): void {
  const { url, identity } = served;
  const store = shownStore(options.store);
  const id = formatActrId(served.id);
  const ws = `${url.replace("http", "ws")}/ws`;
  const inspect = `${url}/inspect`;
  if (json) {
    const made = inspects ? { inspect: { url: inspect, token } } : {};
    const health = `${url}/health`;
    out(JSON.stringify({ rendezvous: identity, node: { id, ws }, health, store, ...made }));
    return;
  }
  out(`  rendezvous  ${identity}`);
  out(`  node        ${id}`);
  out(`              ${ws}`);
  out(`  health      ${url}/health`);
  out(`  store       ${store}`);
  if (!inspects) return;
  if (token === undefined) return out(`  inspect     ${inspect} asks for your inspection token`);
  // What follows the # stays in the browser.
  out(`  inspect     ${inspect}#token=${encodeURIComponent(token)}`);
  out(`              ROOST_INSPECT_TOKEN=${token} for roost mailbox, dlq and alarms`);
}
