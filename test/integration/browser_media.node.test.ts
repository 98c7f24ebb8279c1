import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import type { MediaSample } from "../../src/media.ts";
import { type ActrId, formatActrId, parseActrId } from "../../src/protocol/ids.ts";
import { pictures, pitch, type SampleSource, tone } from "../conformance/media_samples.ts";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import type { MediaPage } from "../fixtures/chromium/media_page.ts";
import { letTracksGo } from "../fixtures/collect_garbage.ts";
import { until } from "../fixtures/until.ts";
import { type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { type StackName, webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const bounds = { timeout: 180_000, skip: chromiumMissing ?? false };
const [noWrtc, noRtp] = [await whyMissing("wrtc"), await whyMissing("node-datachannel")];
const entry = new URL("../fixtures/chromium/media_page.ts", import.meta.url);
/** Time for what needs no time, on a busy machine, milliseconds. */
const patienceMs = 30_000;

/** A page that has connected. */
class Participant {
  readonly id: string;
  readonly #page: Page;

  private constructor(page: Page, id: string) {
    this.#page = page;
    this.id = id;
  }

  static async open(chromium: Chromium, address: string): Promise<Participant> {
    const page = await chromium.open(entry);
    return new Participant(page, await ask(page, "connect", address));
  }

  do<Name extends keyof MediaPage>(
    name: Name,
    ...words: Parameters<MediaPage[Name]>
  ): Promise<Awaited<ReturnType<MediaPage[Name]>>> {
    return ask(this.#page, name, ...words);
  }

  /** Waits until it plays about so much: hertz, or brightness. */
  async plays(id: string, value: number): Promise<void> {
    let got = 0;
    const close = async (): Promise<boolean> => {
      got = await this.do("plays", id);
      return Math.abs(got - value) < 25;
    };
    await until(`${id} plays ${value}`, close, patienceMs).catch((error) => {
      throw new Error(`it plays ${got}`, { cause: error });
    });
  }

  async leave(): Promise<void> {
    await this.do("close");
    await this.#page.close();
  }
}

/** Does one thing that the page offers. */
function ask<Name extends keyof MediaPage>(
  page: Page,
  name: Name,
  ...words: Parameters<MediaPage[Name]>
): Promise<Awaited<ReturnType<MediaPage[Name]>>> {
  return page.evaluate(
    async ([wanted, given]) => {
      const { page: offered } = globalThis as unknown as { page: MediaPage };
      return await (offered[wanted] as (...all: unknown[]) => unknown)(...given);
    },
    [name, words] as const,
  ) as Promise<Awaited<ReturnType<MediaPage[Name]>>>;
}

/** What came of one track, and from whom. */
class Heard {
  readonly samples: MediaSample[] = [];
  readonly senders: Set<string> = new Set();

  constructor(
    { node }: WebRtcNode,
    trackId: string,
    also: (sample: MediaSample) => void = () => {},
  ) {
    node.context.media.register(trackId, (sample, sender) => {
      this.samples.push(sample);
      this.senders.add(formatActrId(sender));
      also(sample);
    });
  }

  /** Pitch of the last 200 ms, hertz. */
  get pitch(): number {
    return pitch(this.samples.slice(-20));
  }

  /** Brightness of the last picture, 0 to 255. */
  get brightness(): number {
    const { data, format } = this.samples.at(-1) ?? {};
    if (data === undefined || format?.layout !== "i420") return 0;
    const light = data.subarray(0, format.width * format.height);
    return light.reduce((sum, one) => sum + one, 0) / light.length;
  }
}

describe("media in pages", bounds, () => {
  let chromium: Chromium;
  let rendezvous: Running;
  const nodes: WebRtcNode[] = [];

  const open = (): Promise<Participant> => Participant.open(chromium, rendezvous.base);
  const start = async (stack: StackName): Promise<WebRtcNode> => {
    const webrtc = await webrtcStacks[stack]();
    const node = await webRtcNode("test:Media:1.0.0", `${rendezvous.base}/ais`, { webrtc });
    nodes.push(node);
    return node;
  };

  before(async () => {
    chromium = await Chromium.launch();
    rendezvous = await Running.start(new MemoryStore());
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]();
    await rendezvous?.[Symbol.asyncDispose]();
    await letTracksGo();
  });

  it("a page hears and sees another's tracks, also when it watches late, until they are removed", async () => {
    const [one, other] = [await open(), await open()];
    await other.do("watch", "voice");
    await one.do("send", other.id, "voice", "opus", 1_000);
    await one.do("send", other.id, "camera", "VP8", 200);
    await other.do("watch", "camera");
    await other.plays("voice", 1_000);
    await other.plays("camera", 200);
    assert.deepEqual(await other.do("senders", "camera"), [one.id]);
    // The same name again is another source in its place.
    await one.do("send", other.id, "camera", "VP8", 80);
    await other.plays("camera", 80);
    await one.do("remove", other.id, "voice");
    await until(
      "it has ended",
      async () => (await other.do("ended", "voice"))[0] === true,
      patienceMs,
    );
    assert.deepEqual(
      [await one.do("isGone", "voice"), await one.do("isGone", "camera")],
      [true, false],
    );
    await one.do("send", other.id, "voice", "opus", 2_000);
    await other.plays("voice", 2_000);
    assert.deepEqual(await other.do("ended", "voice"), [true, false]);
    await other.do("unwatch", "voice");
    assert.deepEqual(await other.do("ended", "voice"), [true, true]);
    assert.deepEqual(await other.do("ended", "camera"), [false]);
    await one.leave();
    await until(
      "it has ended",
      async () => (await other.do("ended", "camera"))[0] === true,
      patienceMs,
    );
    await other.leave();
  });

  it("both pages add tracks at once, offers crossing, and all of them play", async () => {
    const pair = [await open(), await open()] as const;
    const ways = [pair, [pair[1], pair[0]] as const];
    const tones = [500, 1_000, 1_500];
    for (const page of pair) for (const hertz of tones) await page.do("watch", `${hertz}`);
    await Promise.all(
      ways.flatMap(([from, to]) =>
        tones.map((hertz) => from.do("send", to.id, `${hertz}`, "opus", hertz)),
      ),
    );
    for (const page of pair) for (const hertz of tones) await page.plays(`${hertz}`, hertz);
    await Promise.all(pair.map((page) => page.leave()));
  });

  it("[T-90] a page and a node with @roamhq/wrtc hear and see each other, and know from whom", {
    skip: noWrtc ?? false,
  }, async () => {
    const [page, node] = [await open(), await start("wrtc")];
    const target = formatActrId(node.node.id);
    const [voice, camera] = [new Heard(node, "voice"), new Heard(node, "camera")];
    await page.do("send", target, "voice", "opus", 1_000);
    await page.do("send", target, "camera", "VP8", 200);
    await until(
      "a tone",
      () => voice.samples.length > 20 && Math.abs(voice.pitch - 1_000) < 30,
      patienceMs,
    );
    await until("a picture", () => Math.abs(camera.brightness - 200) < 20, patienceMs);
    assert.deepEqual([...voice.senders, ...camera.senders], [page.id, page.id]);
    assert.deepEqual([voice.samples[0]?.codec, camera.samples[0]?.codec], ["opus", "VP8"]);

    await page.do("watch", "song");
    await page.do("watch", "picture");
    await using song = await sending(node, page.id, "song", tone(2_000));
    await using picture = await sending(node, page.id, "picture", pictures());
    await page.plays("song", 2_000);
    await page.plays("picture", 110);
    assert.deepEqual(await page.do("senders", "picture"), [target]);
    await song.remove();
    await until(
      "it has ended",
      async () => (await page.do("ended", "song"))[0] === true,
      patienceMs,
    );
    assert.deepEqual(await page.do("ended", "picture"), [false]);
    await page.leave();
    await until("the page's leaving shows", () => picture.gone.aborted, patienceMs);
  });

  it("a node with node-datachannel gets a page's sound encoded, and a page plays what is", {
    skip: noRtp ?? false,
  }, async () => {
    const [page, node] = [await open(), await start("node-datachannel")];
    const [target, { media }] = [formatActrId(node.node.id), node.node.context];
    const back = { id: "back", codec: "opus" } as const;
    await media.addTrack(parseActrId(page.id), back);
    const voice = new Heard(node, "voice", (sample) =>
      media.send(parseActrId(page.id), "back", sample),
    );
    const camera = new Heard(node, "camera");
    await page.do("watch", "back");
    await page.do("send", target, "voice", "opus", 1_000);
    await page.do("send", target, "camera", "H264", 200);
    await page.plays("back", 1_000);
    await until("a picture", () => camera.samples.length > 0, patienceMs);
    for (const { samples } of [voice, camera]) assert.equal(samples[0]?.format, undefined);
    assert.deepEqual([voice.samples[0]?.codec, camera.samples[0]?.codec], ["opus", "H264"]);
    await page.leave();
  });
});

/** Sends samples at their pace until it is disposed of. */
async function sending({ node }: WebRtcNode, to: string, id: string, source: SampleSource) {
  const { media } = node.context;
  const target: ActrId = parseActrId(to);
  const codec = source.make(0).kind === "audio" ? "opus" : "VP8";
  const gone = await media.addTrack(target, { id, codec });
  let at = 0;
  const feed = setInterval(() => {
    if (!gone.aborted) media.send(target, id, source.make(at++));
  }, source.everyMs);
  return {
    gone,
    remove: () => media.removeTrack(target, id),
    [Symbol.asyncDispose]: async () => clearInterval(feed),
  };
}
