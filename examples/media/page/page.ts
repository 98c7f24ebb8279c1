/// <reference lib="dom" />
import { connect } from "@roost/edge/client";
import { tracks, type } from "../tracks.ts";
import { Screens } from "./screens.ts";

function element<E extends Element>(selector: string): E {
  return document.querySelector(selector) as E;
}

const button = element<HTMLButtonElement>("button");
const output = element<HTMLOutputElement>("output");

const peer = await connect(location.origin, { type });
const { media } = peer.context;
const screens = new Screens(element("main"));
for (const { id } of tracks) {
  media.watch(id, (track, sender, ended) => screens.show(`${sender.serial}`, track, ended));
}

/** Sends camera and microphone to every player there is. */
async function send(): Promise<void> {
  const video = { width: 320, height: 240 };
  const own = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  // In the order of `tracks`.
  const sources = [...own.getAudioTracks(), ...own.getVideoTracks()];
  const others = await peer.context.discover(type, { count: 16 });
  const changes = others
    .filter(({ serial }) => serial !== peer.id.serial)
    .flatMap((player) =>
      tracks.map((track, at) => media.addTrack(player, { ...track, source: sources[at] })),
    );
  await Promise.all(changes);
  output.value = `Sent to ${changes.length / tracks.length}.`;
}

button.addEventListener("click", () => {
  send().catch((error) => {
    output.value = error instanceof Error ? error.message : String(error);
  });
});
addEventListener("pagehide", () => void peer.close());
output.value = "Connected.";
button.disabled = false;
