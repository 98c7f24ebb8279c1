/// <reference lib="dom" />
import { connect } from "@roost/edge/client";
import type { app, Message } from "../app.ts";

function element<E extends Element>(selector: string): E {
  return document.querySelector(selector) as E;
}

const input = element<HTMLInputElement>("input");
const list = element<HTMLOListElement>("ol");
const output = element<HTMLOutputElement>("output");

/** Of the page's address: `?room=lobby&name=Ann`. */
const query = new URLSearchParams(location.search);
const name = query.get("name") ?? `guest ${Math.floor(Math.random() * 1000)}`;

function show({ from, text }: Message): void {
  const line = document.createElement("li");
  line.textContent = `${from}: ${text}`;
  list.append(line);
  line.scrollIntoView();
}

function showPresent(names: readonly string[]): void {
  output.value = `Here: ${names.join(", ")}`;
}

const peer = await connect<typeof app>(location.origin, { webrtc: false });
const room = peer.actors.room.get(query.get("room") ?? "lobby").connect({ name });
room.onError((error) => {
  output.value = error.message;
});
room.on("said", show);
room.on("present", showPresent);
const { messages, present } = await room.look();
for (const message of messages) show(message);
showPresent(present);

element<HTMLFormElement>("form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const text = input.value;
  input.value = "";
  room.say(text).catch((error: Error) => {
    output.value = error.message;
  });
});
input.disabled = false;
input.focus();
