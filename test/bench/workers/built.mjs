// What an installed package costs at its start: the built JavaScript, without a compiler in between.
// Its baseline is this file with nothing to serve.
import process from "node:process";

const { store, runtime } = JSON.parse(process.argv[2]);
let began = performance.now();
let served;
if (store !== undefined) {
  const { serve, silentLogger } = await import(`../../../dist/adapters/${runtime}/mod.js`);
  const { defineNode } = await import("../../../dist/src/mod.js");
  began = performance.now();
  served = await serve(defineNode({}), { port: 0, store, log: silentLogger() });
}
console.log(JSON.stringify({ serve: performance.now() - began }));
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(JSON.stringify({ rss: process.memoryUsage().rss }));
await served?.stop();
process.exit(0);
