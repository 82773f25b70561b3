// What a client of MQTT.js and its counterpart in the test say to each other, in Node and in a browser alike: a global function `converse`.
// It subscribes to ROOT/down, publishes to ROOT/up, and its counterpart sends back what it gets. Either side checks every byte it receives.
globalThis.converse = async (mqtt, { url, level, root, options = {}, drop }) => {
  const count = 20;
  const content = (number, length) => Uint8Array.from({ length }, (_, at) => at * 7 + number + (at >> 8));
  const bytes = (array) => (typeof Buffer === "undefined" ? array : Buffer.from(array));
  const check = (right, what) => {
    if (!right) throw new Error(what);
  };
  const same = (payload, expected) => payload.length === expected.length && expected.every((byte, at) => byte === payload[at]);
  // Without retries: a connection that is refused is an error.
  const connect = (name, more = {}) =>
    mqtt.connectAsync(url, { clientId: `${root}-${name}`, protocolVersion: level, reconnectPeriod: 0, browserBufferSize: 1 << 24, ...options, ...more }, false);

  const client = await connect("talks");
  const got = [];
  let wanted = Infinity;
  let arrived;
  client.on("message", (topic, payload, packet) => {
    got.push({ topic: topic.slice(root.length + 1), payload, packet });
    if (got.length === wanted) arrived();
  });
  const receive = (total) => new Promise((resolve, reject) => {
    [wanted, arrived] = [total, resolve];
    setTimeout(() => reject(new Error(`${got.length} of ${total} messages came, last: ${got.at(-1)?.topic}`)), 20_000).unref?.();
    if (got.length >= total) resolve();
  });
  const of = (topic) => got.filter((message) => message.topic === topic);

  await client.subscribeAsync(`${root}/down/#`, { qos: 2 });
  await receive(1);
  const { topic, payload, packet } = got.shift();
  check(topic === "down/kept" && packet.retain && packet.qos === 1 && same(payload, content(1, 100)), `retained message: ${topic} ${packet.retain} ${packet.qos} ${payload.length}`);
  if (level === 5) check(packet.properties.userProperties.from === "counterpart", "user property of the retained message");

  const sent = [];
  for (let n = 0; n < count; n++) for (const qos of [0, 1, 2]) sent.push(client.publishAsync(`${root}/up/${qos}`, bytes(content(n, n * 37)), { qos }));
  sent.push(client.publishAsync(`${root}/up/large`, bytes(content(2, 1 << 20)), { qos: 1 }));
  const properties = level === 5 ? { userProperties: { from: "client" }, contentType: "bytes" } : undefined;
  sent.push(client.publishAsync(`${root}/up/kept`, bytes(content(3, 100)), { qos: 2, retain: true, properties }));
  await Promise.all(sent);
  await receive(3 * count + 2);
  for (const qos of [0, 1, 2]) {
    const back = of(`down/${qos}`);
    check(back.length === count, `${back.length} messages of QoS ${qos}`);
    back.forEach((message, n) => check(message.packet.qos === qos && !message.packet.retain && same(message.payload, content(n, n * 37)), `message ${n} of QoS ${qos}`));
  }
  check(of("down/large").length === 1 && same(of("down/large")[0].payload, content(2, 1 << 20)), "large payload");
  check(of("down/kept").length === 1 && same(of("down/kept")[0].payload, content(3, 100)), "retained message of its own");
  if (level === 5) check(of("down/kept")[0].packet.properties.userProperties.from === "client", "user property of its own");

  const dies = await connect("dies", { will: { topic: `${root}/up/will`, payload: bytes(content(4, 50)), qos: 1, retain: false } });
  drop(dies);
  await receive(3 * count + 3);
  check(same(of("down/will")[0].payload, content(4, 50)), "will");
  await client.endAsync();
};
