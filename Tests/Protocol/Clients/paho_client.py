"""Drives the broker with Eclipse Paho: argument 1 is the port, argument 2 the protocol level (3, 4 or 5). Exit code 0 if all went well."""
import sys
import threading

import paho.mqtt.client as mqtt

PORT, LEVEL = int(sys.argv[1]), int(sys.argv[2])
ROOT = f"paho/{LEVEL}"


def new_client(name, clean=True):
    if LEVEL == 5:
        return mqtt.Client(client_id=f"paho{LEVEL}-{name}", protocol=mqtt.MQTTv5)
    return mqtt.Client(client_id=f"paho{LEVEL}-{name}", clean_session=clean, protocol={3: mqtt.MQTTv31, 4: mqtt.MQTTv311}[LEVEL])


def connect(client):
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", PORT, 30)
    client.loop_start()
    assert connected.wait(10), "no CONNACK"


def subscribe(client, topic, qos):
    done = threading.Event()
    client.on_subscribe = lambda *_: done.set()
    client.subscribe(topic, qos)
    assert done.wait(10), f"no SUBACK for {topic}"


def expect(got, done, count, what):
    assert done.wait(10), f"{what}: got {len(got)} of {count}: {got[:5]}"


def exchange():
    """300 messages of each QoS arrive once and in order."""
    subscriber, publisher = new_client("sub"), new_client("pub")
    got, done = [], threading.Event()

    def on_message(_client, _data, message):
        got.append((message.qos, int(message.payload)))
        if len(got) == 900:
            done.set()

    subscriber.on_message = on_message
    connect(subscriber)
    connect(publisher)
    subscribe(subscriber, f"{ROOT}/exchange/+", 2)
    for n in range(300):
        for qos in (0, 1, 2):
            last = publisher.publish(f"{ROOT}/exchange/{qos}", str(n), qos)
    last.wait_for_publish()
    expect(got, done, 900, "exchange")
    for qos in (0, 1, 2):
        assert [n for q, n in got if q == qos] == list(range(300)), f"order of QoS {qos}"
    return [subscriber, publisher]


def retained_and_will():
    """A retained message and the will of a client that vanished."""
    watcher, dying = new_client("watcher"), new_client("dying")
    got, done = {}, threading.Event()

    def on_message(_client, _data, message):
        got[message.topic] = (message.payload, message.retain)
        if len(got) == 2:
            done.set()

    watcher.on_message = on_message
    dying.will_set(f"{ROOT}/will", b"gone", 1)
    connect(dying)
    dying.publish(f"{ROOT}/kept", b"here", 1, retain=True).wait_for_publish()
    connect(watcher)
    subscribe(watcher, f"{ROOT}/will", 1)
    subscribe(watcher, f"{ROOT}/kept", 1)
    dying._sock_close()
    expect(list(got), done, 2, "retained and will")
    assert got == {f"{ROOT}/will": (b"gone", 0), f"{ROOT}/kept": (b"here", 1)}, got
    return [watcher]


def large():
    """A payload of 900 KB comes back whole."""
    client = new_client("large")
    body, got, done = bytes(range(256)) * 3600, [], threading.Event()
    client.on_message = lambda _c, _d, message: (got.append(message.payload), done.set())
    connect(client)
    subscribe(client, f"{ROOT}/large", 1)
    client.publish(f"{ROOT}/large", body, 1)
    expect(got, done, 1, "large")
    assert got[0] == body
    return [client]


for client in exchange() + retained_and_will() + large():
    client.disconnect()
    client.loop_stop()
print("ok")
