/// <reference lib="dom" />
import { connect } from "@roost/edge/client";
import { FileDropService } from "../file_drop_pb.ts";
import { sendFile } from "./send_file.ts";

function element<E extends Element>(selector: string): E {
  return document.querySelector(selector) as E;
}

const input = element<HTMLInputElement>("input");
const area = element<HTMLLabelElement>("label");
const bar = element<HTMLProgressElement>("progress");
const output = element<HTMLOutputElement>("output");

const peer = await connect(location.origin);
const type = "acme:FileDropService:1.0.0";

async function send(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  input.disabled = true;
  output.value = `Sending ${file.name}…`;
  try {
    const receipt = await sendFile(peer, type, file, (received) => {
      bar.value = file.size === 0 ? 1 : received / file.size;
    });
    output.value = described(receipt);
  } catch (error) {
    output.value = `${file.name} was not sent: ${error instanceof Error ? error.message : error}`;
  }
  input.disabled = false;
}

function described({ name, size, sha256 }: { name: string; size: number; sha256: string }): string {
  return `${name}: the node has ${size} bytes, SHA-256 ${sha256}`;
}

input.addEventListener("change", () => {
  const file = input.files?.[0];
  // So that the same file can be chosen again.
  input.value = "";
  void send(file);
});
for (const [event, over] of [
  ["dragover", true],
  ["dragleave", false],
  ["drop", false],
] as const) {
  area.addEventListener(event, (dragged) => {
    dragged.preventDefault();
    area.classList.toggle("over", over);
    if (event === "drop") void send(dragged.dataTransfer?.files[0]);
  });
}
// By the first call WebRTC comes up, so that files go by it.
const { files } = await peer.service(FileDropService, type).list({});
output.value = files.length === 0 ? "Connected." : files.map(described).join("\n");
input.disabled = false;
