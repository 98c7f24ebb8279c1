/// <reference lib="dom" />
/** The baseline of WebRTC: a bare data channel of `@roamhq/wrtc`. Without an offer in its setup it makes one, and calls; with one it echoes all that does not begin with 0. */
import { setTimeout as pause } from "node:timers/promises";
import wrtc from "@roamhq/wrtc";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { rawEchoes } from "../raw_load.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

interface Question extends LoadPlan {
  readonly kind?: "stream";
  /** The answer to the offer, before all loads. */
  readonly answer?: string;
}

/** Where our links stop, too. */
const highWaterBytes = 1024 * 1024;
const silent = 0;

const { offer } = workerSetup<{ readonly offer?: string }>();
const connection = new wrtc.RTCPeerConnection();
const channel = offer === undefined ? connection.createDataChannel("raw") : await answering(offer);
channel.binaryType = "arraybuffer";

async function answering(sdp: string): Promise<RTCDataChannel> {
  connection.ondatachannel = ({ channel: theirs }) => {
    theirs.binaryType = "arraybuffer";
    theirs.onmessage = ({ data }) => {
      if (new Uint8Array(data)[0] !== silent) theirs.send(data);
    };
  };
  await connection.setRemoteDescription({ type: "offer", sdp });
  return connection.createDataChannel("unused");
}

/** The description of this side with all its candidates. */
async function described(): Promise<string> {
  await connection.setLocalDescription(
    await (offer === undefined ? connection.createOffer() : connection.createAnswer()),
  );
  while (connection.iceGatheringState !== "complete") await pause(5);
  return connection.localDescription?.sdp ?? "";
}

async function open(sdp: string): Promise<null> {
  await connection.setRemoteDescription({ type: "answer", sdp });
  while (channel.readyState !== "open") await pause(5);
  return null;
}

function echo(plan: LoadPlan): Promise<LoadResult> {
  const answers = (answered: () => void): (() => void) => {
    channel.onmessage = answered;
    return () => {
      channel.onmessage = null;
    };
  };
  return rawEchoes(
    { send: (body) => channel.send(body as Uint8Array<ArrayBuffer>), answers },
    plan,
  );
}

/** Sends without answers while the channel holds little; an echo behind the last one tells that all came. */
function stream(plan: LoadPlan): Promise<LoadResult> {
  const body = new Uint8Array(plan.bytes);
  const send = async (): Promise<void> => {
    while (channel.bufferedAmount + body.length > highWaterBytes) await pause(1);
    channel.send(body);
  };
  const last = (): Promise<void> =>
    new Promise((resolve) => {
      channel.onmessage = () => resolve();
      channel.send(Uint8Array.of(1));
    });
  return closedLoop(send, { ...plan, inFlight: 1 }, last);
}

function ask(question: Question): Promise<LoadResult | null> {
  if (question.answer !== undefined) return open(question.answer);
  return question.kind === "stream" ? stream(question) : echo(question);
}

await workerLoop({ ready: { sdp: await described() }, ask, close: async () => connection.close() });
