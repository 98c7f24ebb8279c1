import { type Reader, sections } from "../reader.ts";

/** Sections of core modules by their numbers. */
export const sectionIds = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** Sections in the order in which they come. */
export const sectionOrder: readonly number[] = [
  sectionIds.type,
  sectionIds.import,
  sectionIds.function,
  sectionIds.table,
  sectionIds.memory,
  sectionIds.tag,
  sectionIds.global,
  sectionIds.export,
  sectionIds.start,
  sectionIds.element,
  sectionIds.dataCount,
  sectionIds.code,
  sectionIds.data,
];

/** Bytes that every core module begins with: its magic, version 1. */
export const moduleHeader: Uint8Array = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** The sections of a core module but custom ones. */
export class Sections {
  readonly #contents = new Map<number, Reader>();

  /** Reads the headers of all: each section at most once, in order. */
  constructor(file: Reader) {
    const module = file.fork();
    const start = module.skip(moduleHeader.length);
    if (!moduleHeader.every((byte, at) => module.bytes[start + at] === byte)) {
      throw module.malformed("is no module of version 1", start);
    }
    let last = -1;
    for (const { id, content } of sections(module)) {
      if (id === sectionIds.custom) continue;
      const place = sectionOrder.indexOf(id);
      if (place === -1) throw content.malformed("such a section is unknown");
      if (place <= last) throw content.malformed("a section is not in its place");
      last = place;
      this.#contents.set(id, content);
    }
  }

  /** A reader of the content of a section, where there is one. */
  open(id: number): Reader | undefined {
    return this.#contents.get(id)?.fork();
  }
}

/** Calls `read` for each entry of a section, which has to end with the last; nothing where there is no section. */
export function eachEntry(
  section: Reader | undefined,
  most: number,
  entries: string,
  read: (section: Reader, index: number) => void,
): void {
  if (section === undefined) return;
  const count = section.count(most, entries);
  for (let index = 0; index < count; index++) read(section, index);
  section.finish();
}
