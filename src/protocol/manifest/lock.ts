import { stringify } from "smol-toml";
import type { Dependency } from "../dependencies.ts";
import { isTable, parseToml, TomlTable, type TomlValues } from "./toml_table.ts";

/** What a package was built against: `manifest.lock.toml` (`spec/protocol.md` §12.3). */
export interface ManifestLock {
  /** When it was written, ISO 8601. */
  readonly generatedAt?: string | undefined;
  readonly dependencies: readonly LockedDependency[];
}

/** One service as it was when the package was built. */
export interface LockedDependency extends Dependency {
  /** What the manifest calls it. */
  readonly name: string;
  readonly description?: string | undefined;
  /** When its node began to announce it, Unix seconds. */
  readonly publishedAt?: number | undefined;
  readonly tags: readonly string[];
  /** When it was looked at, ISO 8601. */
  readonly cachedAt?: string | undefined;
  readonly files: readonly LockedFile[];
}

/** A file of a service, kept beside the lock. */
export interface LockedFile {
  /** From the folder of the lock, with slashes. */
  readonly path: string;
  /** `semantic:` and 64 hexadecimal digits. */
  readonly fingerprint: string;
}

const version = 1;

const head =
  "# What this package was built against. Written by `roost deps lock`, which keeps no comments.\n";

/** The lock in a text. @throws ActrError `config` naming file, key, value and mend. */
export function parseLock(text: string, file = "manifest.lock.toml"): ManifestLock {
  const root = new TomlTable(parseToml(text, file), file);
  const metadata = root.table("metadata");
  metadata?.integer("version", version, version);
  return {
    generatedAt: metadata?.time("generated_at"),
    dependencies: root.tables("dependency").map(locked),
  };
}

function locked(table: TomlTable): LockedDependency {
  return {
    name: table.requiredText("name"),
    type: table.requiredText("actr_type"),
    fingerprint: table.requiredText("fingerprint"),
    description: table.text("description"),
    publishedAt: table.integer("published_at", 0, Number.MAX_SAFE_INTEGER),
    tags: table.texts("tags"),
    cachedAt: table.time("cached_at"),
    files: table.tables("files").map((file) => ({
      path: file.requiredText("path"),
      fingerprint: file.requiredText("fingerprint"),
    })),
  };
}

/**
 * A lock as text. Keys of `before`, the text that it replaces, that are none of these stay; its comments do not.
 * @throws ActrError `config` where `before` is no TOML.
 */
export function lockText(lock: ManifestLock, before = ""): string {
  const old = parseToml(before, "manifest.lock.toml");
  const { generatedAt } = lock;
  const metadata = kept(old["metadata"], { version, generated_at: generatedAt });
  const dependency = lock.dependencies.map((each) =>
    kept(named(old["dependency"], "name", each.name), entry(each, old)),
  );
  return `${head}\n${stringify({ ...old, metadata, dependency })}`;
}

function entry(each: LockedDependency, old: TomlValues): TomlValues {
  const files = named(old["dependency"], "name", each.name)?.["files"];
  return {
    name: each.name,
    actr_type: each.type,
    description: each.description,
    fingerprint: each.fingerprint,
    published_at: each.publishedAt,
    tags: [...each.tags],
    cached_at: each.cachedAt,
    files: each.files.map(({ path, fingerprint }) =>
      kept(named(files, "path", path), { path, fingerprint }),
    ),
  };
}

/** What was there under other keys, and the new values. */
function kept(old: unknown, values: TomlValues): TomlValues {
  const joined: Record<string, unknown> = { ...(isTable(old) ? old : {}), ...values };
  for (const [key, value] of Object.entries(joined)) if (value === undefined) delete joined[key];
  return joined;
}

/** The table of a list whose `key` is `value`. */
function named(list: unknown, key: string, value: string): TomlValues | undefined {
  return Array.isArray(list)
    ? list.find((each): each is TomlValues => isTable(each) && each[key] === value)
    : undefined;
}
