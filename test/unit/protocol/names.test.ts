import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type NameKind, nameFault, requireName } from "../../../src/protocol/names.ts";
import behaviour from "../../vectors/behaviour.json" with { type: "json" };
import { refusal } from "./support.ts";

function acceptsAll(kind: NameKind, names: readonly string[]): void {
  for (const name of names) assert.equal(nameFault(kind, name), undefined, name);
}

function refusesAll(kind: NameKind, cases: readonly (readonly string[])[]): void {
  for (const [name = "", fault] of cases) {
    assert.equal(nameFault(kind, name), fault, name);
    const error = refusal("invalid_argument", () => requireName(kind, name));
    assert.equal(error.details?.["kind"], "InvalidComponent");
    assert.equal(error.details?.["reason"], fault);
  }
}

describe("names", () => {
  it("[V-behaviour.name_valid] of manufacturers and actors", () => {
    acceptsAll("name", behaviour.name_valid);
  });
  it("[V-behaviour.name_invalid] of manufacturers and actors", () => {
    refusesAll("name", behaviour.name_invalid);
  });
  it("[V-behaviour.package_name_valid] of packages", () => {
    acceptsAll("package", behaviour.package_name_valid);
  });
  it("[V-behaviour.package_name_invalid] of packages", () => {
    refusesAll("package", behaviour.package_name_invalid);
  });
  it("[V-behaviour.service_name_valid] of services", () => {
    acceptsAll("service", behaviour.service_name_valid);
  });
  it("[V-behaviour.service_name_invalid] of services", () => {
    refusesAll("service", behaviour.service_name_invalid);
  });
  it("[V-behaviour.method_name_valid] of methods", () => {
    acceptsAll("method", behaviour.method_name_valid);
  });
  it("[V-behaviour.method_name_invalid] of methods", () => {
    refusesAll("method", behaviour.method_name_invalid);
  });

  it("are measured in bytes", () => {
    assert.equal(nameFault("name", "é".repeat(16)), undefined);
    assert.equal(nameFault("name", `${"é".repeat(16)}a`), "TooLong");
    assert.equal(nameFault("package", "a".repeat(257)), "TooLong");
    assert.equal(nameFault("service", "A".repeat(64)), undefined);
    assert.equal(nameFault("service", "A".repeat(65)), "TooLong");
  });

  it("may begin with a letter of any script where a person's name may", () => {
    assert.equal(nameFault("name", "été-1"), undefined);
    assert.equal(nameFault("service", "Été"), "InvalidStartChar");
    assert.equal(nameFault("name", "a\n"), "InvalidChar");
  });

  // The table of section 3.2: longest, then what may stand first, between and last.
  const table: readonly [
    kind: NameKind,
    max: number,
    first: [good: string, bad: string],
    middle: [good: string, bad: string],
    last: [good: string, bad: string],
  ][] = [
    ["name", 32, ["aZé", "1-_.!"], ["aZé1-_.", "! :/@+"], ["aZé1", "-_."]],
    ["package", 256, ["a_", "A1.-"], ["a1_.", "AZé-"], ["a1_", "."]],
    ["service", 64, ["AZ", "aé1_"], ["aZé1_", "-. !"], ["aZ1", "_"]],
    ["method", 64, ["az", "AÉ1_"], ["aZé1_", "-. !"], ["aZ1", "_"]],
  ];
  for (const [kind, max, first, middle, last] of table) {
    it(`of kind ${kind}: at most ${max} bytes, each character at its place`, () => {
      const [begin, end] = [first[0][0] ?? "", last[0][0] ?? ""];
      const fill = (length: number): string => begin + "a".repeat(length - 1);
      assert.equal(nameFault(kind, fill(max)), undefined);
      assert.equal(nameFault(kind, fill(max + 1)), "TooLong");
      const good = [
        ...[...first[0]].map((each) => each + end),
        ...[...middle[0]].map((each) => begin + each + end),
        ...[...last[0]].map((each) => begin + each),
      ];
      for (const name of good) assert.equal(nameFault(kind, name), undefined, name);
      const bad = [
        ...[...first[1]].map((each) => each + end),
        ...[...middle[1]].map((each) => begin + each + end),
        ...[...last[1]].map((each) => begin + each),
      ];
      for (const name of bad) assert.notEqual(nameFault(kind, name), undefined, name);
    });
  }
});
