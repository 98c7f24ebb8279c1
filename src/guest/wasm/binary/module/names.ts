import type { Reader } from "../reader.ts";
import { eachEntry, Sections, sectionIds } from "./sections.ts";
import { readLimits, readValueType } from "./types.ts";

/** Most entries of sections; what is made for the world has far less, engines allow more. */
export const most = {
  types: 100_000,
  imports: 10_000,
  functions: 1_000_000,
  tables: 256,
  memories: 256,
  tags: 1_000,
  globals: 1_000_000,
  exports: 10_000,
} as const;

/** What modules import and export, by number. */
export const kinds = ["function", "table", "memory", "global", "tag"] as const;

/** What a core module imports from, and what it exports, whatever it is. */
export function moduleNames(module: Reader): { imports: string[]; exports: string[] } {
  const sections = new Sections(module);
  const imports = new Set<string>();
  eachEntry(sections.open(sectionIds.import), most.imports, "imports", (section) => {
    imports.add(section.name());
    section.name();
    skipImported(section);
  });
  const exports: string[] = [];
  eachEntry(sections.open(sectionIds.export), most.exports, "exports", (section) => {
    exports.push(section.name());
    section.u8();
    section.u32();
  });
  return { imports: [...imports], exports };
}

function skipImported(section: Reader): void {
  const kind = kinds[section.u8()];
  switch (kind) {
    case "function":
      section.u32();
      return;
    case "table":
      readValueType(section);
      readLimits(section);
      return;
    case "memory":
      readLimits(section);
      return;
    case "global":
      readValueType(section);
      section.u8();
      return;
    case "tag":
      section.u8();
      section.u32();
      return;
    case undefined:
      throw section.malformed("a kind of imports is unknown", section.at - 1);
  }
}

/** Its imports, which are functions, or memories where there is a list for them. */
