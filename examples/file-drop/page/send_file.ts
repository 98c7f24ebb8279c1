import type { Peer } from "@roost/edge/client";
import { FileDropService, type Progress, type File as Receipt } from "../file_drop_pb.ts";

const chunkBytes = 65_536;

/** Sends a file to any node of `type`, and resolves with what that says of it; `onProgress` is told the bytes that the node has. */
export async function sendFile(
  peer: Peer,
  type: string,
  file: File,
  onProgress: (received: number) => void,
): Promise<Receipt> {
  const { streams } = peer.context;
  const [node, stream, failed] = [await peer.find(type), streams.newId(), new AbortController()];
  const answers = peer.service(FileDropService, node).take({ name: file.name, stream });
  const progress = answers[Symbol.asyncIterator]();
  try {
    // The first answer says that the node reads.
    await progress.next();
    const writer = await streams.open(node, stream, failed);
    const written = write(file, writer);
    const [receipt] = await Promise.all([follow(progress, onProgress), written]);
    return receipt;
  } finally {
    failed.abort();
    await progress.return?.();
  }
}

async function write(file: File, writer: Writer): Promise<void> {
  try {
    for (let at = 0; at < file.size; at += chunkBytes) {
      await writer.write(new Uint8Array(await file.slice(at, at + chunkBytes).arrayBuffer()));
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

type Writer = Awaited<ReturnType<Peer["context"]["streams"]["open"]>>;

async function follow(
  progress: AsyncIterator<Progress>,
  onProgress: (received: number) => void,
): Promise<Receipt> {
  for (let next = await progress.next(); next.done !== true; next = await progress.next()) {
    onProgress(next.value.received);
    if (next.value.file !== undefined) return next.value.file;
  }
  throw new Error("the node ended without a receipt");
}
