// Drives the broker with MQTT.js over WebSocket: argument 1 is the URL, 2 the protocol level (4 or 5), 3 the folder of node_modules, 4 the authority's certificate.
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";

const [url, level, modules, authority] = [process.argv[2], Number(process.argv[3]), process.argv[4], process.argv[5]];
const mqtt = createRequire(path.join(modules, "index.js"))("mqtt");
setTimeout(() => { console.error("timed out"); process.exit(2); }, 20_000).unref();

const options = { protocolVersion: level, reconnectPeriod: 0, ca: readFileSync(authority) };
const client = await mqtt.connectAsync(url, { ...options, clientId: `wsjs${level}` });
const got = [];
const all = new Promise((resolve) => client.on("message", (topic, payload) => {
  got.push([topic, payload.length]);
  if (got.length === 301) resolve();
}));
await client.subscribeAsync("wsjs/#", { qos: 2 });
const sent = [];
for (let n = 0; n < 100; n++) for (const qos of [0, 1, 2]) sent.push(client.publishAsync(`wsjs/${qos}`, "x".repeat(n), { qos }));
sent.push(client.publishAsync("wsjs/large", "y".repeat(500_000), { qos: 1 }));
await Promise.all(sent);
await all;
for (const qos of [0, 1, 2]) {
  assert.deepEqual(got.filter(([topic]) => topic === `wsjs/${qos}`).map(([, length]) => length), [...Array(100).keys()], `order of QoS ${qos}`);
}
assert.ok(got.some(([topic, length]) => topic === "wsjs/large" && length === 500_000));
await client.endAsync();
console.log("ok");
process.exit(0);
