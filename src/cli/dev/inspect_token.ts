import { systemRandom } from "../../../adapters/system_random.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { World } from "../command.ts";
import type { Settings } from "../settings/settings.ts";

/** Hands the inspection token that `roost dev` made up to its nodes: not an argument, which other users could see. */
const variable = "DEV_INSPECT_TOKEN";

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/** An inspection token for every version of an app that one `roost dev` serves, as their environment. */
export function madeToken(): Readonly<Record<string, string>> {
  return { [variable]: toHex(systemRandom().bytes(16)) };
}

/** The token made up, unless one is configured, or others than this machine could use it. */
export function developerToken(
  { inspectToken, host = "127.0.0.1" }: Settings,
  { env }: World,
): string | undefined {
  return inspectToken === undefined && loopback.has(host) ? env[variable] : undefined;
}
