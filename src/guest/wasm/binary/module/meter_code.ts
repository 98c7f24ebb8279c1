import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { bulkCodes, codes, type Immediate, immediates, plain } from "./immediates.ts";
import { prefixedImmediate, skipImmediate, unknownInstruction } from "./instruction.ts";
import { type LabelKind, Labels, labelKinds } from "./labels.ts";
import { type Meter, pointInstructions } from "./meter.ts";
import { readValueType } from "./types.ts";

/** Most bytes of a function: what compiling takes may grow faster than they do. */
const mostBytes = 2 ** 20;

/** Most locals of a function; engines have the same limit. */
const mostLocals = 50_000;
/** Locals that an entry pays for; so many cost no more than a run of instructions. */
const freeLocals = 128;

const movesBytes: ReadonlySet<number> = new Set([
  bulkCodes.memoryInit,
  bulkCodes.memoryCopy,
  bulkCodes.memoryFill,
]);
const movesElements: ReadonlySet<number> = new Set([
  bulkCodes.tableInit,
  bulkCodes.tableCopy,
  bulkCodes.tableFill,
]);

/** Copies the code of functions, and puts points of fuel into it. */
export class CodeMeter {
  readonly #out: Writer;
  readonly #meter: Meter;
  readonly #labels = new Labels();
  #source: Uint8Array = new Uint8Array();
  /** Up to where the function was copied. */
  #copied = 0;
  /** Most instructions that may have run since the last point. */
  #run = 0;

  constructor(out: Writer, meter: Meter) {
    this.#out = out;
    this.#meter = meter;
  }

  /** Copies one function: its locals and its instructions, which have to end with `body`. */
  copy(body: Reader): void {
    this.#source = body.bytes;
    this.#copied = body.at;
    if (body.end - body.at > mostBytes) throw body.malformed(`has more than ${mostBytes} bytes`);
    const locals = this.#locals(body);
    this.#point(body.at);
    if (locals > freeLocals) this.#replace(body.at, body.at, this.#meter.chargeLocals(locals));
    this.#enter(body, labelKinds.block, 0);
    while (this.#labels.depth > 0) this.#instruction(body);
    body.finish();
    this.#flush(body.end);
  }

  /** How many locals there are; they are set to 0 at each entry. */
  #locals(body: Reader): number {
    let locals = 0;
    for (let left = body.count(mostLocals, "groups of locals"); left > 0; left--) {
      locals += body.u32();
      readValueType(body);
    }
    if (locals > mostLocals) throw body.malformed(`has ${locals} locals`);
    return locals;
  }

  #enter(body: Reader, kind: LabelKind, run: number): void {
    if (!this.#labels.enter(kind, run)) throw body.malformed("blocks are nested too deep");
  }

  #instruction(body: Reader): void {
    const start = body.at;
    const code = body.u8();
    if (this.#run === pointInstructions) this.#point(start);
    this.#run++;
    const what = plain[code] as Immediate;
    if (what === immediates.index) this.#indexed(body, code, start);
    else if (what === immediates.none) this.#run = this.#bare(code, start);
    else if (what === immediates.block) this.#block(body, code);
    else if (what === immediates.label) this.#branch(body, code, start);
    else if (what === immediates.prefix) this.#prefixed(body, code, start);
    else if (what === immediates.labels) this.#branches(body);
    else if (what === immediates.catches) this.#tryTable(body);
    else if (what === immediates.unknown) throw unknownInstruction(body, code);
    else {
      skipImmediate(body, what);
      if (code === codes.returnCallIndirect) this.#run = 0;
    }
  }

  /** An instruction without anything behind it; the run after it, 0 where it is never left downwards. */
  #bare(code: number, start: number): number {
    switch (code) {
      case codes.end:
        return this.#labels.leave(this.#run);
      case codes.else:
        return this.#labels.otherwise(this.#run);
      case codes.catchAll:
        return this.#labels.handler(this.#run);
      case codes.throwRef:
        this.#dear(start);
        return 0;
      case codes.return:
      case codes.unreachable:
        return 0;
      default:
        return this.#run;
    }
  }

  #indexed(body: Reader, code: number, start: number): void {
    const index = body.u32();
    switch (code) {
      case codes.globalGet:
      case codes.globalSet:
        // What is behind the guest's own globals counts its fuel.
        return this.#exists(body, index, this.#meter.globals, "global");
      case codes.call:
      case codes.refFunc:
        return this.#exists(body, index, this.#meter.functions, "function");
      case codes.returnCall:
        this.#run = 0;
        return this.#exists(body, index, this.#meter.functions, "function");
      case codes.returnCallRef:
        this.#run = 0;
        return;
      case codes.throw:
        return this.#dear(start);
      case codes.tableGet:
      case codes.tableSet:
        // Engines do not compile them but call themselves.
        return this.#point(start);
      case codes.catch:
        this.#run = this.#labels.handler(this.#run);
        return;
      case codes.memoryGrow:
        this.#exists(body, index, this.#meter.memories, "memory");
        return this.#replace(start, body.at, this.#meter.growMemory(index));
      default:
        return;
    }
  }

  #exists(body: Reader, index: number, count: number, what: string): void {
    if (index >= count) throw body.malformed(`${what} ${index} does not exist`);
  }

  #block(body: Reader, code: number): void {
    skipImmediate(body, immediates.block);
    if (code === codes.loop) {
      this.#enter(body, labelKinds.loop, 0);
      this.#point(body.at);
    } else {
      this.#enter(body, code === codes.if ? labelKinds.openIf : labelKinds.block, this.#run);
    }
  }

  #branch(body: Reader, code: number, start: number): void {
    const label = body.u32();
    if (code === codes.delegate) {
      this.#run = this.#labels.leave(this.#run);
    } else if (code === codes.rethrow) {
      this.#dear(start);
    } else {
      this.#reach(body, label, this.#run);
      if (code === codes.br) this.#run = 0;
    }
  }

  #branches(body: Reader): void {
    // The default label is behind the others.
    for (let left = body.u32(); left >= 0; left--) this.#reach(body, body.u32(), this.#run);
    this.#run = 0;
  }

  #tryTable(body: Reader): void {
    skipImmediate(body, immediates.block);
    for (let left = body.u32(); left > 0; left--) {
      const form = body.u8();
      if (form > 3) throw body.malformed(`a handler has form ${form}`, body.at - 1);
      const takesAll = form > 1;
      if (!takesAll) body.u32();
      // Whoever throws has paid a point.
      this.#reach(body, body.u32(), 0);
    }
    this.#enter(body, labelKinds.block, this.#run);
  }

  #reach(body: Reader, label: number, run: number): void {
    if (!this.#labels.branch(label, run)) throw body.malformed(`label ${label} does not exist`);
  }

  #prefixed(body: Reader, prefix: number, start: number): void {
    const code = body.u32();
    const what = prefixedImmediate(body, prefix, code);
    if (prefix !== codes.extended) return skipImmediate(body, what);
    if (code === bulkCodes.tableGrow) {
      const index = body.u32();
      this.#exists(body, index, this.#meter.tables, "table");
      return this.#replace(start, body.at, this.#meter.growTable(index));
    }
    if (movesBytes.has(code)) this.#replace(start, start, this.#meter.chargeBytes);
    if (movesElements.has(code)) this.#replace(start, start, this.#meter.chargeElements);
    skipImmediate(body, what);
  }

  /** Puts `code` where the code from `start` to `end` was. */
  #replace(start: number, end: number, code: Uint8Array): void {
    this.#flush(start);
    this.#out.copy(code);
    this.#copied = end;
  }

  #flush(end: number): void {
    this.#out.copy(this.#source, this.#copied, end);
    this.#copied = end;
  }

  /** The points that an exception costs, before what is at `at`. */
  #dear(at: number): void {
    this.#replace(at, at, this.#meter.chargeException);
    this.#run = 0;
  }

  /** A point of fuel before what is at `at`. */
  #point(at: number): void {
    this.#replace(at, at, this.#meter.point);
    this.#run = 0;
  }
}
