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
});
