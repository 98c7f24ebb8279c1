import { guestFault } from "../../../fault.ts";
import { Reader, type Section, sections } from "../reader.ts";
import { readCanonical } from "./canonical.ts";
import { readAlias, readExternName, readExternType, readSort, type Sort } from "./sorts.ts";
import { readType, type TypeSort } from "./types.ts";

/** What has to be known of a component to find out whether it can be run. */
export interface ComponentOutline {
  readonly imports: readonly string[];
  /** Interfaces that it exports. */
  readonly exports: readonly string[];
  /** Its core modules, in order. */
  readonly modules: readonly Reader[];
  /** Whether components in it have core modules of their own. */
  readonly composed: boolean;
  /** Whether functions that wait were made of types that do not, as older tools do. */
  readonly asyncWithoutType: boolean;
  /** Whether all texts are passed as UTF-8. */
  readonly utf8: boolean;
}

const ids = { module: 1, component: 4, alias: 6, type: 7, canonical: 8, import: 10, export: 11 };

const most = { types: 100_000, imports: 10_000, entries: 100_000, modules: 100 } as const;
/** How deep components may be in one another. */
const deepest = 16;

/** Bytes that every component begins with: its magic, its version, that it is no module. */
export const componentHeader: Uint8Array = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);

/** Reads all of a component but its core modules and what components in it say. */
export function outlineComponent(bytes: Uint8Array): ComponentOutline {
  const file = new Reader(bytes, componentHeader.length, bytes.length, "the component");
  const outlining = new Outlining();
  for (const section of sections(file)) outlining.read(section);
  return outlining;
}

class Outlining implements ComponentOutline {
  readonly imports: string[] = [];
  readonly exports: string[] = [];
  readonly modules: Reader[] = [];
  composed = false;
  asyncWithoutType = false;
  utf8 = true;
  readonly #types: TypeSort[] = [];

  read({ id, content }: Section): void {
    switch (id) {
      case ids.module:
        return this.#module(content);
      case ids.component:
        this.composed ||= hasModules(content, 1);
        return;
      case ids.alias:
        return this.#each(content, () => this.#defined(readAlias(content)));
      case ids.type:
        return this.#each(content, () => this.#types.push(readType(content)));
      case ids.canonical:
        return this.#each(content, () => this.#canonical(content));
      case ids.import:
        return this.#each(content, () => this.#import(content));
      case ids.export:
        return this.#each(content, () => this.#export(content));
      default:
        // What is instantiated with what says nothing more: the main module is run alone.
        return;
    }
  }

  #each(content: Reader, read: () => void): void {
    for (let left = content.count(most.entries, "entries"); left > 0; left--) read();
    content.finish();
    if (this.#types.length > most.types) throw content.malformed("there are too many types");
  }

  #module(content: Reader): void {
    if (this.modules.length === most.modules) {
      throw guestFault("load_failed", `the component has more than ${most.modules} core modules`);
    }
    this.modules.push(content.fork(`core module ${this.modules.length}`));
  }

  /** Keeps the numbers of types: aliases, imports and exports of types have some too. */
  #defined(sort: Sort): void {
    if (sort === "type") this.#types.push("other");
  }

  #import(content: Reader): void {
    this.imports.push(readExternName(content));
    if (this.imports.length > most.imports) throw content.malformed("there are too many imports");
    this.#defined(readExternType(content));
  }

  #export(content: Reader): void {
    const name = readExternName(content);
    const sort = readSort(content);
    content.u32();
    if (content.u8() === 1) readExternType(content);
    if (sort === "instance") this.exports.push(name);
    this.#defined(sort);
  }

  #canonical(content: Reader): void {
    const { kind, type = -1, options } = readCanonical(content);
    this.utf8 &&= options.utf8;
    if (kind === "lift" && options.async && this.#types[type] === "function") {
      this.asyncWithoutType = true;
    }
  }
}

function hasModules(component: Reader, depth: number): boolean {
  if (depth > deepest) throw component.malformed(`components are nested deeper than ${deepest}`);
  component.skip(componentHeader.length);
  for (const { id, content } of sections(component)) {
    if (id === ids.module) return true;
    if (id === ids.component && hasModules(content, depth + 1)) return true;
  }
  return false;
}
