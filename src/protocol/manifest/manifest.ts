import { ActrError } from "../../errors.ts";
import { type ActrType, formatActrType, parseActrType } from "../ids.ts";
import { isTable, TomlTable, type TomlValues } from "./toml_table.ts";

/** What a source package says of itself: `manifest.toml` (`spec/protocol.md` §12.2). Sections of other tools are left alone. */
export interface Manifest {
  /** What nodes of the package are; its version may be empty, with which none can register. */
  readonly type: ActrType;
  readonly description: string | undefined;
  readonly license: string | undefined;
  readonly authors: readonly string[];
  readonly tags: readonly string[];
  /** Proto files of its services, from the folder of the manifest. */
  readonly exports: readonly string[];
  readonly dependencies: readonly ManifestDependency[];
  /** What runs as a guest, where the package has such. */
  readonly binary: ManifestBinary | undefined;
}

/** The `[binary]` of a package. */
export interface ManifestBinary {
  /** From the folder of the manifest. */
  readonly path: string | undefined;
  /** Target triple, or another name of what it is built for. */
  readonly target: string | undefined;
}

/** A service that a package calls: a `dependencies.ALIAS`. */
export interface ManifestDependency {
  /** What it is called here. */
  readonly alias: string;
  /** What the nodes are that serve it. */
  readonly type: ActrType | undefined;
  /** Which service of theirs is meant. */
  readonly service: { readonly name: string; readonly fingerprint: string | undefined } | undefined;
  /** u32. */
  readonly realm: number | undefined;
}

const u32 = 0xffff_ffff;

/** The manifest in a document, such as one with what it inherits. @throws ActrError `config` naming file, key, value and mend. */
export function readManifest(document: TomlValues, file: string): Manifest {
  const root = new TomlTable(document, file);
  const own = root.requiredTable("package");
  const dependencies = root.table("dependencies")?.entries() ?? [];
  const binary = root.table("binary");
  return {
    type: packageType(own),
    description: own.text("description"),
    license: own.text("license"),
    authors: own.texts("authors"),
    tags: own.texts("tags"),
    exports: exportsOf(root, own),
    dependencies: dependencies.map(([alias, table]) => dependency(alias, table)),
    binary: binary && { path: binary.text("path"), target: binary.text("target") },
  };
}

/** One manifest on top of the one that it inherits: tables join, and its own values, lists and access rules win. */
export function inherited(base: TomlValues, own: TomlValues): TomlValues {
  const joined: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(own)) {
    const before = base[key];
    const joins = isTable(before) && isTable(value) && key !== "acl";
    joined[key] = joins ? inherited(before, value) : value;
  }
  return joined;
}

function packageType(own: TomlTable): ActrType {
  const manufacturer = own.requiredText("manufacturer");
  const name = own.requiredText("name");
  const version = own.text("version") ?? "";
  // The version that stands in for an empty one is not kept.
  const text = formatActrType({ manufacturer, name, version: version === "" ? "0" : version });
  try {
    return { ...parseActrType(text), version };
  } catch (cause) {
    const reason = ActrError.from(cause).message;
    const bad = reason.includes(JSON.stringify(manufacturer)) ? "manufacturer" : "name";
    throw own.wrong(
      version.includes(":") ? "version" : bad,
      `that is no part of a type: ${reason}`,
    );
  }
}

/** Both places are in use. */
function exportsOf(root: TomlTable, own: TomlTable): readonly string[] {
  return own.values["exports"] === undefined ? root.texts("exports") : own.texts("exports");
}

function dependency(alias: string, table: TomlTable): ManifestDependency {
  const service = table.text("service");
  const colon = service?.indexOf(":") ?? -1;
  return {
    alias,
    type: dependencyType(table),
    service:
      service === undefined
        ? undefined
        : {
            name: colon < 0 ? service : service.slice(0, colon),
            fingerprint: colon < 0 ? undefined : service.slice(colon + 1),
          },
    realm: table.integer("realm", 0, u32),
  };
}

function dependencyType(table: TomlTable): ActrType | undefined {
  const text = table.text("actr_type");
  if (text === undefined) return undefined;
  try {
    return parseActrType(text);
  } catch {
    throw table.wrong("actr_type", "write manufacturer:name:version");
  }
}
