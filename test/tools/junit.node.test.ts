import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readJUnit } from "./junit.ts";

describe("readJUnit", () => {
  it("joins nested suites of Node and undoes its double encoding", () => {
    const xml = `<testsuites><testsuite name="outer &lt;a>"><testsuite name="inner">
      <testcase name="says &amp;quot;hi&amp;quot; [N-1]" classname="test"/>
      <testcase name="fails" failure="x"><failure type="t" message="x">
Error: a &lt; b
</failure></testcase>
      <testcase name="later"><skipped type="todo" message="true"/></testcase>
    </testsuite></testsuite><testcase name="top" classname="test"/></testsuites>`;
    assert.deepEqual(readJUnit(xml, 0), [
      { name: 'outer <a> > inner > says "hi" [N-1]', status: "passed" },
      { name: "outer <a> > inner > fails", status: "failed", error: "Error: a < b" },
      { name: "outer <a> > inner > later", status: "skipped" },
      { name: "top", status: "passed" },
    ]);
  });

  it("leaves the suites that Deno counts as tests out, unless only they failed", () => {
    const xml = `<testsuites><testsuite name="./a.test.ts">
      <testcase name="outer"><failure message="1 step failed">1 step failed.</failure></testcase>
      <testcase name="hooked"><failure message="hook">hook broke</failure></testcase>
      <testcase name="hooked &gt; fine"></testcase></testsuite>
      <testsuite name="ext:x"><testcase name="outer &gt; one"><failure message="m">boom</failure></testcase>
      </testsuite></testsuites>`;
    assert.deepEqual(readJUnit(xml, 1), [
      { name: "hooked", status: "failed", error: "hook broke", file: "a.test.ts" },
      { name: "hooked > fine", status: "passed", file: "a.test.ts" },
      { name: "outer > one", status: "failed", error: "boom", file: "a.test.ts" },
    ]);
  });

  it("reads the line breaks that Bun encodes and its failures without text", () => {
    const xml = `<testsuites><testsuite name="a.test.ts"><testsuite name="s">
      <testcase name="t"><failure type="E" message="m">one&#10;two</failure></testcase>
      <testcase name="u"><failure message="only this" /></testcase>
    </testsuite></testsuite></testsuites>`;
    assert.deepEqual(readJUnit(xml, 1), [
      { name: "s > t", status: "failed", error: "one\ntwo" },
      { name: "s > u", status: "failed", error: "only this" },
    ]);
  });

  it("tells the files of a batch apart by the marks before their tests", () => {
    const xml = `<testsuites><testcase name="tests of a.test.ts"/><testsuite name="s">
      <testcase name="one"/></testsuite><testcase name="tests of b.test.ts"/>
      <testcase name="two"/></testsuites>`;
    assert.deepEqual(readJUnit(xml, 0), [
      { name: "s > one", status: "passed", file: "a.test.ts" },
      { name: "two", status: "passed", file: "b.test.ts" },
    ]);
  });

  it("tells them apart by the suites of Deno, whose steps come after all files", () => {
    const xml = `<testsuites><testsuite name="./test/tools/batch.ts">
      <testcase name="tests of a.test.ts"/><testcase name="tests of b.test.ts"/></testsuite>
      <testsuite name="./a.test.ts"><testcase name="s"/></testsuite>
      <testsuite name="./b.test.ts"><testcase name="t"/></testsuite>
      <testsuite name="ext:x"><testcase name="s &gt; one"/><testcase name="t &gt; two"/></testsuite>
      </testsuites>`;
    assert.deepEqual(readJUnit(xml, 1), [
      { name: "s > one", status: "passed", file: "a.test.ts" },
      { name: "t > two", status: "passed", file: "b.test.ts" },
    ]);
  });
});
