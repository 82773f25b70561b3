// Drives the broker with MQTT.js over any transport: argument 1 is the URL, 2 the protocol level (4 or 5), 3 the topic above all others, 4 the authority's certificate,
// 5 the folder of node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import "./mqttjs_conversation.js";

const [url, level, root, authority, modules] = process.argv.slice(2);
const mqtt = createRequire(path.join(modules, "index.js"))("mqtt");
setTimeout(() => { console.error("timed out"); process.exit(2); }, 25_000).unref();
await globalThis.converse(mqtt, { url, level: Number(level), root, options: { ca: readFileSync(authority) }, drop: (client) => client.stream.destroy() });
console.log("ok");
process.exit(0);
