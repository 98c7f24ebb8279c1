import type { Reader } from "../reader.ts";
import { readAlias, readExternName, readExternType } from "./sorts.ts";
import { eachOf, skipDefined, skipField, skipValueType } from "./value_types.ts";

/** What a component's type is, as far as it matters: whether functions of it may wait. */
export type TypeSort = "function" | "async function" | "other";

const forms = {
  resource: 0x3f,
  function: 0x40,
  component: 0x41,
  instance: 0x42,
  asyncFunction: 0x43,
} as const;

/** How deep types of components and instances may be in one another. */
const deepest = 32;

/** A type's sort; the rest of it is passed over. */
export function readType(input: Reader, depth = 0): TypeSort {
  if (depth > deepest) throw input.malformed(`types are nested deeper than ${deepest}`);
  const form = input.u8();
  switch (form) {
    case forms.function:
      skipFunction(input);
      return "function";
    case forms.asyncFunction:
      skipFunction(input);
      return "async function";
    case forms.component:
    case forms.instance:
      eachOf(input, "declarations", () => skipDeclaration(input, depth));
      return "other";
    case forms.resource:
      input.u8();
      if (input.u8() === 1) input.u32();
      return "other";
    default:
      skipDefined(input, form);
      return "other";
  }
}

function skipFunction(input: Reader): void {
  eachOf(input, "parameters", skipField);
  if (input.u8() === 0) skipValueType(input);
  else eachOf(input, "results", skipField);
}

const declarations = { type: 1, alias: 2, import: 3, export: 4 } as const;

function skipDeclaration(input: Reader, depth: number): void {
  const form = input.u8();
  switch (form) {
    case declarations.type:
      readType(input, depth + 1);
      return;
    case declarations.alias:
      readAlias(input);
      return;
    case declarations.import:
    case declarations.export:
      readExternName(input);
      readExternType(input);
      return;
    default:
      throw input.malformed(`a declaration has form ${form}`, input.at - 1);
  }
}
