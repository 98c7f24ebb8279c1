import { dirname, join } from "node:path";
import { runningModule } from "../../adapters/running.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import type { NodeDefinition } from "../define.ts";
import type { Logger, LogLevel } from "../ports/logger.ts";
import { loadApp } from "./app_file.ts";
import type { Input } from "./command.ts";
import { packagedApp } from "./deps/packaged_app.ts";
import { withRealmFlags } from "./registration_refused.ts";
import { type Settings, sources } from "./settings/settings.ts";
import { fileUrl } from "./settings/store_address.ts";
import { webRtcSettings, withoutWebRtc } from "./settings/webrtc.ts";

/** Where an app keeps its data unless told otherwise. */
export function defaultStore(app: string): string {
  return fileUrl(join(dirname(app), ".roost", "node.db"));
}

/** The level to log at: what is configured, more with `--verbose`. */
export function logLevelOf(input: Input, settings: Settings): LogLevel {
  return settings.log ?? (input.has("verbose") ? "debug" : "info");
}

/** The logger of a command. */
export async function commandLog(input: Input, settings: Settings): Promise<Logger> {
  const { consoleLogger } = await runningModule();
  const format = input.has("json") ? "json" : "text";
  return consoleLogger({ level: logLevelOf(input, settings), format });
}

/** An app with what its package says of it, and what the configuration puts in place of its own: access rules, and handlers that run one by one. */
export async function configuredApp(file: string, settings: Settings): Promise<NodeDefinition> {
  return configuredNode(await packagedApp(await loadApp(file), dirname(file)), settings);
}

/** A node with what the configuration puts in place of its own. */
export function configuredNode(app: NodeDefinition, { acl, serial }: Settings): NodeDefinition {
  const governed = acl === undefined ? app : { ...app, acl };
  return serial === true ? oneByOne(governed) : governed;
}

function oneByOne(app: NodeDefinition): NodeDefinition {
  const dispatch = { ...app.options?.dispatch, concurrent: false };
  return { ...app, options: { ...app.options, dispatch } };
}

/** Settings as options of `serve`. */
export function serveOptions(file: string, settings: Settings, log: Logger): ServeOptions {
  const { host, acl: _acl, serial, log: _level, ...rest } = withoutWebRtc(settings);
  if (serial === true) log.warn("dispatch.serial_forced", { by: sources.serial.env });
  return {
    store: defaultStore(file),
    ...rest,
    ...webRtcSettings(settings),
    ...(host === undefined ? {} : { hostname: host }),
    log,
  };
}

/** Serves with the adapters of this runtime. @throws ActrError as `serve`. */
export async function serveApp(app: NodeDefinition, options: ServeOptions): Promise<Served> {
  const { serve } = await runningModule();
  try {
    return await serve(app, options);
  } catch (error) {
    throw withRealmFlags(error);
  }
}
