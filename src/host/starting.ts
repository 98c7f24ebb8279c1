import { ActrError } from "../errors.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { LateLimit } from "../time_limit.ts";
import { type Contents, creation, generationChange, recordChange } from "./contents.ts";
import type { Instance } from "./instance.ts";
import { claimSql } from "./sql/actor_sql.ts";
import { valueFor } from "./state/initial.ts";
import { callbackEnd } from "./turns/callback.ts";

/** Starts an instance within its time, or drops it. @throws ActrError what a hook threw; `actor.callback_timed_out`, `timed_out`, `protocol.invalid_persisted_data`. */
export async function startWithin(
  instance: Instance,
  contents: Contents | undefined,
  ms: number,
): Promise<void> {
  const limit = new LateLimit(instance.components.clock, ms, `the start of ${instance.id}`);
  try {
    await startInstance(instance, contents, limit);
  } catch (error) {
    const failure = ActrError.from(error);
    instance.report(failure, "start");
    instance.drop(failure);
    throw failure;
  } finally {
    limit.cancel();
  }
  // What it was to write was refused at once: it is not in memory any more.
  if (instance.dropped !== undefined) throw instance.dropped;
}

/**
 * Starts an instance: its state is restored, or made; its hooks run; then actions may begin. A new actor is stored
 * when its hooks have made it, in one commit with what they changed: one that could not be made never was.
 */
async function startInstance(
  instance: Instance,
  contents: Contents | undefined,
  limit: LateLimit,
): Promise<void> {
  instance.move("start");
  if (contents === undefined) await create(instance, limit);
  else await restore(instance, contents, limit);
  const { kind, saving } = instance;
  const { definition, options } = kind;
  instance.vars = await hook(instance, "vars", options.hookTimeoutMs, limit, () =>
    valueFor(definition.vars, instance.context),
  );
  await hook(instance, "onWake", options.wakeTimeoutMs, limit, () =>
    definition.onWake?.(instance.context),
  );
  limit.throwIfAborted();
  instance.move("ready");
  saving.open();
  saving.save();
  instance.begin();
}

async function create(instance: Instance, limit: LateLimit): Promise<void> {
  const { kind, saving, record, context } = instance;
  const { definition, options } = kind;
  const state = await hook(instance, "state", options.hookTimeoutMs, limit, () =>
    valueFor(definition.state, record.input, instance.context),
  );
  if (state !== undefined) saving.state = state;
  await hook(instance, "onCreate", options.hookTimeoutMs, limit, () =>
    definition.onCreate?.(context, record.input),
  );
  saving.add(...creation(instance.id, record));
}

async function restore(instance: Instance, contents: Contents, limit: LateLimit): Promise<void> {
  const { kind, saving, record, gate } = instance;
  const { definition } = kind;
  gate.keep();
  const schedules = contents.rows.get("t");
  const messages = contents.rows.get("q");
  const requests = contents.rows.get("r");
  if (requests !== undefined) instance.requests.restore(requests);
  if (schedules !== undefined) instance.schedules.restore(schedules);
  if (messages !== undefined) instance.queues.restore(messages);
  const connections = contents.rows.get("c");
  if (connections !== undefined) instance.connections.restore(connections);
  await instance.workflow?.restore();
  const state = contents.state && readState(instance, contents.state);
  instance.generation = contents.generation + 1;
  saving.restore(state, generationChange(instance.id, instance.generation));
  await claimSql(instance);
  const version = definition.stateVersion ?? 1;
  if (record.stateVersion !== version) await migrate(instance, state, version, limit);
  saving.open();
}

async function migrate(
  instance: Instance,
  state: unknown,
  version: number,
  limit: LateLimit,
): Promise<void> {
  const { kind, saving, record, context } = instance;
  const { definition, options } = kind;
  const stored = { state, version: record.stateVersion };
  saving.state = await hook(instance, "onMigrate", options.wakeTimeoutMs, limit, () => {
    if (definition.onMigrate !== undefined) return definition.onMigrate(context, stored);
    const message = `actor ${kind.name} is stored with version ${stored.version} of its state; give it onMigrate`;
    throw new ActrError("actor.not_configured", message);
  });
  saving.add(recordChange(instance.id, { ...record, stateVersion: version }));
}

function readState({ id }: Instance, state: Uint8Array): unknown {
  try {
    return decodeCbor(state);
  } catch (cause) {
    const message = `the state of actor ${id} cannot be read`;
    throw new ActrError("protocol.invalid_persisted_data", message, { cause });
  }
}

function hook<T>(
  { components }: Instance,
  name: string,
  ms: number,
  limit: LateLimit,
  run: () => T | Promise<T>,
): T | Promise<T> {
  limit.throwIfAborted();
  const result = run();
  if (!(result instanceof Promise)) return result;
  return callbackEnd(components.clock, { name, ms, signal: limit.signal }, result);
}
