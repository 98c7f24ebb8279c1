import { guestFault } from "../../../fault.ts";
import type { CoreExport, CoreImport, CoreSignature } from "../prepared_component.ts";
import type { Reader } from "../reader.ts";
import { skipConstant } from "./constant.ts";
import { kinds, most } from "./names.ts";
import { eachEntry, Sections, sectionIds } from "./sections.ts";
import { type CoreLimits, readFunctionType, readLimits, readValueType } from "./types.ts";

/** A table: its limits, and the bytes of its elements' type. */
export interface CoreTable extends CoreLimits {
  readonly type: Uint8Array;
}

/** What has to be known of a core module in order to rewrite it. */
export interface ModuleOutline {
  readonly sections: Sections;
  readonly types: readonly CoreSignature[];
  readonly imports: readonly CoreImport[];
  /** Types of the functions that it has itself, by number. */
  readonly functions: readonly number[];
  readonly tables: readonly CoreTable[];
  /** By number: those that it imports, then its own. */
  readonly memories: readonly CoreLimits[];
  readonly importedMemories: number;
  readonly globals: number;
  readonly exports: readonly CoreExport[];
}

/** What a core module may do that a guest's may not. */
export interface Allowance {
  /** Import memories, which whoever gives them has to limit. @default false */
  readonly importedMemories?: boolean;
}

/** Reads all of a core module but the code of its functions, its elements and its data. */
export function outlineModule(module: Reader, allowance: Allowance = {}): ModuleOutline {
  const sections = new Sections(module);
  const types = readTypes(sections);
  const imported: CoreLimits[] | undefined = allowance.importedMemories ? [] : undefined;
  const imports = readImports(sections, types, imported);
  const functions = readFunctions(sections, types);
  const tables = readTables(sections);
  const memories = [...(imported ?? []), ...readMemories(sections)];
  checkTags(sections, types);
  const globals = countGlobals(sections);
  const exports = readExports(sections, (index) => types[functions[index - imports.length] ?? -1]);
  const importedMemories = imported?.length ?? 0;
  return {
    sections,
    types,
    imports,
    functions,
    tables,
    memories,
    importedMemories,
    globals,
    exports,
  };
}

function readTypes(sections: Sections): CoreSignature[] {
  const types: CoreSignature[] = [];
  eachEntry(sections.open(sectionIds.type), most.types, "types", (section) =>
    types.push(readFunctionType(section)),
  );
  return types;
}

/** A type by its number. */
function typeOf(types: readonly CoreSignature[], section: Reader): CoreSignature {
  const index = section.u32();
  const type = types[index];
  if (type === undefined) throw section.malformed(`type ${index} does not exist`);
  return type;
}

/** Its imports, which are functions, or memories where there is a list for them. */
function readImports(
  sections: Sections,
  types: readonly CoreSignature[],
  memories: CoreLimits[] | undefined,
): CoreImport[] {
  const imports: CoreImport[] = [];
  eachEntry(sections.open(sectionIds.import), most.imports, "imports", (section) => {
    const module = section.name();
    const name = section.name();
    const kind = section.u8();
    if (kinds[kind] === "memory" && memories !== undefined) memories.push(readLimits(section));
    else if (kind !== 0) throw notFunction(section, `${module} ${name}`, kinds[kind]);
    else imports.push({ module, name, ...typeOf(types, section) });
  });
  return imports;
}

function notFunction(section: Reader, name: string, kind: string | undefined): Error {
  if (kind === undefined) return section.malformed("a kind of imports is unknown", section.at - 1);
  return guestFault(
    "load_failed",
    `the main module imports a ${kind}, ${name}: components of modules that share memory, tables or globals are not supported; link the guest into one module`,
  );
}

function readFunctions(sections: Sections, types: readonly CoreSignature[]): number[] {
  const functions: number[] = [];
  eachEntry(sections.open(sectionIds.function), most.functions, "functions", (section) => {
    const index = section.u32();
    if (index >= types.length) throw section.malformed(`type ${index} does not exist`);
    functions.push(index);
  });
  return functions;
}

/** What a table with an initial value begins with. */
const tableWithValue = 0x40;

function readTables(sections: Sections): CoreTable[] {
  const tables: CoreTable[] = [];
  eachEntry(sections.open(sectionIds.table), most.tables, "tables", (section) => {
    const hasValue = section.bytes[section.at] === tableWithValue;
    if (hasValue && section.skip(2) >= 0 && section.bytes[section.at - 1] !== 0) {
      throw section.malformed("a table is of no known form");
    }
    const start = section.at;
    if (readValueType(section) !== "ref") throw section.malformed("a table is not of references");
    const type = section.bytes.subarray(start, section.at);
    tables.push({ type, ...readLimits(section) });
    if (hasValue) skipConstant(section);
  });
  return tables;
}

function readMemories(sections: Sections): CoreLimits[] {
  const memories: CoreLimits[] = [];
  eachEntry(sections.open(sectionIds.memory), most.memories, "memories", (section) =>
    memories.push(readLimits(section)),
  );
  return memories;
}

/** Exceptions that hold references could be chained without end, in memory that is not the guest's. */
function checkTags(sections: Sections, types: readonly CoreSignature[]): void {
  eachEntry(sections.open(sectionIds.tag), most.tags, "tags", (section) => {
    section.u8();
    if (!typeOf(types, section).parameters.includes("ref")) return;
    throw guestFault(
      "load_failed",
      `${section.what} has an exception that holds references: its memory cannot be limited; let exceptions hold numbers`,
    );
  });
}

function countGlobals(sections: Sections): number {
  let globals = 0;
  eachEntry(sections.open(sectionIds.global), most.globals, "globals", (section) => {
    readValueType(section);
    section.u8();
    skipConstant(section);
    globals++;
  });
  return globals;
}

function readExports(
  sections: Sections,
  signature: (index: number) => CoreSignature | undefined,
): CoreExport[] {
  const exports: CoreExport[] = [];
  eachEntry(sections.open(sectionIds.export), most.exports, "exports", (section) => {
    const name = section.name();
    const kind = kinds[section.u8()];
    const index = section.u32();
    if (kind === undefined) throw section.malformed("a kind of exports is unknown");
    if (kind !== "function") return exports.push({ kind, name });
    const type = signature(index);
    if (type === undefined) throw section.malformed(`${name} is no function of the module's own`);
    const { parameters, results } = type;
    return exports.push({ kind, name, parameters, results });
  });
  return exports;
}
