import { ActrError } from "../errors.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { callback } from "./callback.ts";
import { type Contents, creation, generationChange, recordChange } from "./contents.ts";
import { valueFor } from "./initial.ts";
import type { Instance } from "./instance.ts";

/**
 * Starts an instance: its state is restored, or made; its hooks run; then actions may begin. A new actor is stored
 * when its hooks have made it, in one commit with what they changed: one that could not be made never was.
 * @throws ActrError what a hook threw; `actor.callback_timed_out`, `protocol.invalid_persisted_data`.
 */
export async function startInstance(
  instance: Instance,
  contents: Contents | undefined,
  signal: AbortSignal,
): Promise<void> {
  instance.move("start");
  if (contents === undefined) await create(instance, signal);
  else await restore(instance, contents, signal);
  const { kind, saving, turns } = instance;
  const { definition, options } = kind;
  instance.vars = await hook(instance, "vars", options.hookTimeoutMs, signal, () =>
    valueFor(definition.vars, createContext(instance)),
  );
  await hook(instance, "onWake", options.wakeTimeoutMs, signal, () =>
    definition.onWake?.(instance.context),
  );
  signal.throwIfAborted();
  instance.move("ready");
  saving.open();
  saving.save();
  turns.open();
  instance.rest();
  instance.begin();
}

async function create(instance: Instance, signal: AbortSignal): Promise<void> {
  const { kind, saving, record, context } = instance;
  const { definition, options } = kind;
  const state = await hook(instance, "state", options.hookTimeoutMs, signal, () =>
    valueFor(definition.state, record.input, createContext(instance)),
  );
  if (state !== undefined) saving.state = state;
  await hook(instance, "onCreate", options.hookTimeoutMs, signal, () =>
    definition.onCreate?.(context, record.input),
  );
  saving.add(...creation(instance.id, record));
}

async function restore(instance: Instance, contents: Contents, signal: AbortSignal): Promise<void> {
  const { kind, saving, record, gate } = instance;
  const { definition } = kind;
  gate.keep();
  const schedules = contents.rows.get("t");
  const messages = contents.rows.get("q");
  if (schedules !== undefined) instance.schedules.restore(schedules);
  if (messages !== undefined) instance.queues.restore(messages);
  const state = contents.state && readState(instance, contents.state);
  instance.generation = contents.generation + 1;
  saving.restore(state, generationChange(instance.id, instance.generation));
  const version = definition.stateVersion ?? 1;
  if (record.stateVersion !== version) await migrate(instance, state, version, signal);
  saving.open();
}

async function migrate(
  instance: Instance,
  state: unknown,
  version: number,
  signal: AbortSignal,
): Promise<void> {
  const { kind, saving, record, context } = instance;
  const { definition, options } = kind;
  const stored = { state, version: record.stateVersion };
  saving.state = await hook(instance, "onMigrate", options.wakeTimeoutMs, signal, () => {
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

function createContext({ id, kind, key, log }: Instance): {
  readonly actorId: string;
  readonly name: string;
  readonly key: readonly string[];
  readonly log: Instance["log"];
} {
  return { actorId: id, name: kind.name, key, log };
}

function hook<T>(
  { components }: Instance,
  name: string,
  ms: number,
  signal: AbortSignal,
  run: () => T | Promise<T>,
): T | Promise<T> {
  return callback(components.clock, { name, ms, signal }, run);
}
