/** How one test went on one runtime. */
export interface TestResult {
  /** `node`, `node24`, `deno` or `bun`. */
  runtime: string;
  /** Path from the root of the repository. */
  file: string;
  /** Titles from the outermost suite inwards, joined by ` > `. */
  name: string;
  status: "passed" | "failed" | "skipped";
  /** What a failed test said. */
  error?: string;
  /** What failed in the process of these tests when it ran beside others, while all passed twice when it ran alone. */
  flaked?: string;
}

type Case = Pick<TestResult, "name" | "status" | "error"> & {
  /** Only in a batch: the file that the test is in. */
  file?: string;
};

/** Environment variable that names the files of a batch, with commas between. */
export const batchVariable = "ROOST_TEST_BATCH";

/** Begins the title of the test that says which file of a batch comes next. */
export const fileMark = "tests of ";

const tagPattern = /<(\/?)(\w+)((?:\s+[\w-]+="[^"]*")*)\s*(\/?)>/g;
const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function decode(text: string): string {
  return text.replace(/&(?:#(x?)([\da-f]+)|(\w+));/gi, (whole, hex, digits, name) =>
    name ? (entities[name] ?? whole) : String.fromCodePoint(Number.parseInt(digits, hex ? 16 : 10)),
  );
}

function attribute(attributes: string, name: string): string {
  return decode(new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

/** Title of a suite or test; Node encodes its quotation marks twice. */
function title(attributes: string): string {
  return decode(attribute(attributes, "name"));
}

/**
 * Reads the JUnit report of one test file or of a batch of them, as Node, Deno and Bun write it. Suites
 * become part of the names; `roots` tells how many outer levels only name the file.
 */
export function readJUnit(xml: string, roots: number): Case[] {
  const cases: Case[] = [];
  const path: string[] = [];
  const homes = new Homes();
  let open: Case | undefined;
  let bodyStart = 0;
  for (const match of xml.matchAll(tagPattern)) {
    const [tag, closing, element, attributes = "", alone] = match;
    if (element === "testsuite" && closing) path.pop();
    else if (element === "testsuite" && !alone) {
      path.push(title(attributes));
      if (path.length === roots) homes.enter(title(attributes));
    } else if (element === "testcase" && !closing) {
      open = { name: [...path.slice(roots), title(attributes)].join(" > "), status: "passed" };
      if (homes.place(open)) cases.push(open);
    } else if (open && element === "skipped") open.status = "skipped";
    else if (open && (element === "failure" || element === "error")) {
      open.status = "failed";
      if (closing) open.error = decode(xml.slice(bodyStart, match.index)).trim();
      else open.error = attribute(attributes, "message");
      bodyStart = match.index + tag.length;
    }
  }
  return withoutParents(cases);
}

/** Tells which file of a batch a test is in: the one marked last, the one that Deno's outer level names, or that of its outermost suite, since Deno reports what is inside suites after all files. */
class Homes {
  readonly #ofSuite = new Map<string, string>();
  #current: string | undefined;

  /** An outer level begins, which may name a file. */
  enter(name: string): void {
    this.#current = /^\.\/(.+\.test\.ts)$/.exec(name)?.[1] ?? this.#current;
  }

  /** Whether it is a test, rather than the mark of a file. */
  place(one: Case): boolean {
    if (one.name.startsWith(fileMark)) {
      this.#current = one.name.slice(fileMark.length);
      return false;
    }
    if (this.#current === undefined) return true;
    const [suite = ""] = one.name.split(" > ", 1);
    const known = this.#ofSuite.get(suite);
    one.file = known ?? this.#current;
    if (known === undefined) this.#ofSuite.set(suite, one.file);
    return true;
  }
}

/** Deno reports suites as tests too: they count only for a failure that none inside them explains. */
function withoutParents(cases: readonly Case[]): Case[] {
  const inside = (outer: Case): Case[] =>
    cases.filter((c) => c.file === outer.file && c.name.startsWith(`${outer.name} > `));
  return cases.filter((c) => {
    const children = inside(c);
    if (children.length === 0) return true;
    return c.status === "failed" && children.every((child) => child.status !== "failed");
  });
}
