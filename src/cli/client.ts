import { runningModule } from "../../adapters/running.ts";
import type { Peer } from "../../adapters/serve/options.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../errors.ts";
import { abortAfter } from "../time_limit.ts";
import type { Input, OptionSpecs, World } from "./command.ts";
import { millisecondsOf } from "./counts.ts";
import { withRealmFlags } from "./registration_refused.ts";
import { loadSettings } from "./settings/load.ts";
import { settingOptions, webRtcSettingNames } from "./settings/settings.ts";
import { webRtcSettings } from "./settings/webrtc.ts";

/** Options of every command that asks peers. */
export const clientOptions: OptionSpecs = {
  timeout: { value: "MS", help: "deadline over everything, milliseconds (default 30000)" },
  ...settingOptions("identity", "signaling", "realm", "realmSecret", "log", ...webRtcSettingNames),
};

/** Where a rendezvous is when nobody says: that of `roost dev`. */
export const defaultIdentity = "http://127.0.0.1:8080/ais";

/** What a client command works with. */
export interface Client {
  readonly peer: Peer;
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Connects, as a node of `type` where access rules ask for one, does `work` and leaves, all before one deadline. @throws ActrError `timed_out` and what `work` throws. */
export async function withClient(
  input: Input,
  world: World,
  work: (client: Client) => Promise<void>,
  type?: string,
): Promise<void> {
  const timeoutMs = millisecondsOf(input, "timeout", 30_000);
  const { settings } = loadSettings(input, world, world.cwd);
  const { identity = defaultIdentity, signaling, realm, realmSecret, log: level } = settings;
  const { connect, consoleLogger, silentLogger } = await runningModule();
  const deadline = abortAfter(systemClock(), timeoutMs);
  const { signal } = deadline;
  const verbose = input.has("verbose") ? "debug" : level;
  try {
    await using peer = await connect(identity, {
      ...(type === undefined ? {} : { type }),
      ...(signaling === undefined ? {} : { signaling }),
      ...(realm === undefined ? {} : { realm }),
      ...(realmSecret === undefined ? {} : { realmSecret }),
      ...webRtcSettings(settings),
      log: verbose === undefined ? silentLogger() : consoleLogger({ level: verbose }),
      signal,
    });
    await work({ peer, signal, timeoutMs });
  } catch (cause) {
    if (signal.aborted) {
      const message = `no answer within ${timeoutMs} ms; --timeout allows more`;
      throw new ActrError("timed_out", message, { cause });
    }
    throw isUnreachable(cause)
      ? new ActrError("unavailable", nobodyAt(identity), { cause })
      : withRealmFlags(cause);
  }
}

/** Whether no identity service answered at all, as against one that refused. */
function isUnreachable(error: unknown): boolean {
  if (!ActrError.is(error) || error.code !== "registration") return false;
  return error.details?.["failure"] === "Retryable" && error.details["status"] === undefined;
}

function nobodyAt(identity: string): string {
  return `no rendezvous answers at ${identity}; start one (roost dev), or name another: --identity URL`;
}
