"""Drives the broker with Eclipse Paho over any transport: argument 1 is the URL, 2 the protocol level (4 or 5), 3 the topic above all others, 4 the authority's certificate.

It subscribes to ROOT/down, publishes to ROOT/up, and its counterpart in the test sends back what it gets. Either side checks every byte it receives.
"""
import sys
import threading
from urllib.parse import urlparse

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

URL, LEVEL, ROOT, AUTHORITY = urlparse(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
COUNT, LARGE = 20, 1 << 20
VERSION = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}


def content(number, length):
    return bytes((at * 7 + number + (at >> 8)) & 255 for at in range(length))


def new_client(name):
    transport = "websockets" if URL.scheme.startswith("ws") else "tcp"
    client = mqtt.Client(client_id=f"{ROOT}-{name}", protocol={4: mqtt.MQTTv311, 5: mqtt.MQTTv5}[LEVEL], transport=transport, **VERSION)
    if transport == "websockets":
        client.ws_set_options(path=URL.path)
    if URL.scheme in ("mqtts", "wss"):
        client.tls_set(ca_certs=AUTHORITY)
    return client


def connect(client):
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect(URL.hostname, URL.port, 30)
    client.loop_start()
    assert connected.wait(10), "no CONNACK"


class Receiver:
    """Notes what a client gets."""

    def __init__(self, client):
        self.got = []
        self.changed = threading.Condition()
        client.on_message = self.on_message

    def on_message(self, _client, _data, message):
        with self.changed:
            self.got.append(message)
            self.changed.notify_all()

    def wait(self, total):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= total, 20), f"{len(self.got)} of {total} messages came"

    def of(self, topic):
        return [message for message in self.got if message.topic == f"{ROOT}/down/{topic}"]


client = new_client("talks")
receiver = Receiver(client)
connect(client)
client.subscribe(f"{ROOT}/down/#", 2)
receiver.wait(1)
kept = receiver.got.pop()
assert (kept.topic, kept.payload, kept.qos, bool(kept.retain)) == (f"{ROOT}/down/kept", content(1, 100), 1, True), "retained message"
if LEVEL == 5:
    assert kept.properties.UserProperty == [("from", "counterpart")], "user property of the retained message"

for n in range(COUNT):
    for qos in (0, 1, 2):
        client.publish(f"{ROOT}/up/{qos}", content(n, n * 37), qos)
large = content(2, LARGE)
client.publish(f"{ROOT}/up/large", large, 1)
extra = {}
if LEVEL == 5:
    extra["properties"] = Properties(PacketTypes.PUBLISH)
    extra["properties"].UserProperty = ("from", "client")
    extra["properties"].ContentType = "bytes"
client.publish(f"{ROOT}/up/kept", content(3, 100), 2, retain=True, **extra)
receiver.wait(3 * COUNT + 2)
for qos in (0, 1, 2):
    back = [(message.qos, bool(message.retain), message.payload) for message in receiver.of(qos)]
    assert back == [(qos, False, content(n, n * 37)) for n in range(COUNT)], f"QoS {qos}"
assert [message.payload for message in receiver.of("large")] == [large], "large payload"
assert [message.payload for message in receiver.of("kept")] == [content(3, 100)], "retained message of its own"
if LEVEL == 5:
    assert receiver.of("kept")[0].properties.UserProperty == [("from", "client")], "user property of its own"

dies = new_client("dies")
dies.will_set(f"{ROOT}/up/will", content(4, 50), 1)
dies.reconnect_delay_set(60, 60)
connect(dies)
dies._sock_close()
receiver.wait(3 * COUNT + 3)
assert [message.payload for message in receiver.of("will")] == [content(4, 50)], "will"
client.disconnect()
client.loop_stop()
print("ok")
