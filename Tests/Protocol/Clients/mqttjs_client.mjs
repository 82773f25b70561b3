// Drives the broker with MQTT.js: argument 1 is the port, argument 2 the protocol level (4 or 5), argument 3 the folder of node_modules.
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import path from "node:path";

const [port, level, modules] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const mqtt = createRequire(path.join(modules, "index.js"))("mqtt");
const root = `js/${level}`;
setTimeout(() => { console.error("timed out"); process.exit(2); }, 20_000).unref();

const connect = (name, options = {}) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: `js${level}-${name}`, protocolVersion: level, reconnectPeriod: 0, ...options });

const collect = (client, count) => new Promise((resolve) => {
  const got = [];
  client.on("message", (topic, payload, packet) => {
    got.push({ topic, payload: payload.toString(), packet });
    if (got.length === count) resolve(got);
  });
});

// 100 messages of each QoS arrive once and in order.
const subscriber = await connect("sub");
const publisher = await connect("pub", level === 5 ? { properties: { topicAliasMaximum: 10 }, autoAssignTopicAlias: true, autoUseTopicAlias: true } : {});
const all = collect(subscriber, 300);
await subscriber.subscribeAsync(`${root}/exchange/+`, { qos: 2 });
const sent = [];
for (let n = 0; n < 100; n++) for (const qos of [0, 1, 2]) sent.push(publisher.publishAsync(`${root}/exchange/${qos}`, String(n), { qos }));
await Promise.all(sent);
const got = await all;
for (const qos of [0, 1, 2]) {
  assert.deepEqual(got.filter((m) => m.packet.qos === qos).map((m) => Number(m.payload)), [...Array(100).keys()], `order of QoS ${qos}`);
}

// Properties, retained, a session that is resumed.
await publisher.publishAsync(`${root}/kept`, "here", {
  qos: 1, retain: true,
  properties: level === 5 ? { userProperties: { a: ["1", "2"] }, contentType: "text", correlationData: Buffer.from([1, 2]), messageExpiryInterval: 100 } : undefined,
});
const session = level === 5 ? { clean: false, properties: { sessionExpiryInterval: 100 } } : { clean: false };
const first = await connect("durable", session);
const kept = collect(first, 1);
await first.subscribeAsync(`${root}/#`, { qos: 1 });
const [retained] = await kept;
assert.equal(retained.payload, "here");
assert.equal(retained.packet.retain, true);
if (level === 5) {
  assert.deepEqual([...retained.packet.properties.userProperties.a], ["1", "2"]);
  assert.equal(retained.packet.properties.contentType, "text");
  assert.ok(retained.packet.properties.messageExpiryInterval <= 100);
}
await first.endAsync();
await publisher.publishAsync(`${root}/later`, "queued", { qos: 1 });
const second = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: `js${level}-durable`, protocolVersion: level, reconnectPeriod: 0, ...session });
const queued = collect(second, 1);
const present = new Promise((resolve) => second.on("connect", (connack) => resolve(connack.sessionPresent)));
assert.equal(await present, true);
assert.equal((await queued)[0].payload, "queued");

await Promise.all([subscriber, publisher, second].map((client) => client.endAsync()));
console.log("ok");
