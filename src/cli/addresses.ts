import type { Served } from "../../adapters/serve/options.ts";
import { formatActrId } from "../protocol/ids.ts";
import type { World } from "./command.ts";

/** Shows where a node and what it stands on are reached. */
export function printAddresses(
  served: Served,
  { store, json }: { readonly store: string; readonly json: boolean },
  { out }: World,
): void {
  const { url, identity } = served;
  const id = formatActrId(served.id);
  const ws = `${url.replace("http", "ws")}/ws`;
  if (json) {
    out(JSON.stringify({ rendezvous: identity, node: { id, ws }, health: `${url}/health`, store }));
    return;
  }
  out(`  rendezvous  ${identity}`);
  out(`  node        ${id}`);
  out(`              ${ws}`);
  out(`  health      ${url}/health`);
  out(`  store       ${store}`);
}
