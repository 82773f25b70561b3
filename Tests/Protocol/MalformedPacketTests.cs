using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What breaks the standard ends its connection with the right words and harms nobody else. The fixture fails on an Error log.</summary>
public sealed class MalformedPacketTests : IClassFixture<MalformedPacketTests.Broker>
{
    private readonly Broker broker;

    public MalformedPacketTests(Broker broker) => this.broker = broker;

    /// <summary>Bytes after CONNACK and the code of the DISCONNECT that a 5.0 client gets.</summary>
    public static TheoryData<string, int, byte[], byte> AfterConnack
    {
        get
        {
            var cases = new TheoryData<string, int, byte[], byte>();
            void Add(string name, byte[] bytes, ReasonCode code = ReasonCode.MalformedPacket, params int[] levels)
            {
                foreach (var level in levels.Length == 0 ? [3, 4, 5] : levels) cases.Add(name, level, bytes, (byte)code);
            }

            void AddV5(string name, byte[] bytes, ReasonCode code = ReasonCode.MalformedPacket) => Add(name, bytes, code, 5);

            Add("reserved type 0", WirePacket.Raw(0x00));
            Add("second CONNECT", WirePacket.Connect("again", 4), ReasonCode.ProtocolError);
            Add("CONNACK from client", WirePacket.Raw(0x20, 0, 0), ReasonCode.ProtocolError);
            Add("SUBACK from client", WirePacket.Raw(0x90, 0, 1, 0), ReasonCode.ProtocolError);
            Add("UNSUBACK from client", WirePacket.Raw(0xB0, 0, 1), ReasonCode.ProtocolError);
            Add("PINGRESP from client", WirePacket.Raw(0xD0), ReasonCode.ProtocolError);
            Add("remaining length of five bytes", [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]);
            Add("PUBLISH with QoS 3", WirePacket.Raw(0x36, 0, 1, (byte)'a', 0, 1, 0));
            Add("PUBLISH of nothing", WirePacket.Raw(0x30));
            Add("PUBLISH topic longer than packet", WirePacket.Raw(0x30, 0, 9, (byte)'a'));
            Add("PUBLISH without packet identifier", WirePacket.Raw(0x32, 0, 1, (byte)'a'));
            Add("PUBLISH with packet identifier 0", WirePacket.Raw(0x32, 0, 1, (byte)'a', 0, 0, 0), ReasonCode.ProtocolError);
            Add("DUP with QoS 0", WirePacket.Raw(0x38, 0, 1, (byte)'a', 0));
            Add("topic with plus", WirePacket.Raw(0x30, 0, 3, (byte)'a', (byte)'/', (byte)'+', 0), ReasonCode.TopicNameInvalid);
            Add("topic with hash", WirePacket.Raw(0x30, 0, 1, (byte)'#', 0), ReasonCode.TopicNameInvalid);
            Add("topic with NUL", WirePacket.Raw(0x30, 0, 2, (byte)'a', 0, 0), ReasonCode.TopicNameInvalid);
            Add("topic that is not UTF-8", WirePacket.Raw(0x30, 0, 2, 0xC3, 0x28, 0), ReasonCode.TopicNameInvalid);
            Add("topic with a surrogate", WirePacket.Raw(0x30, 0, 3, 0xED, 0xA0, 0x80, 0), ReasonCode.TopicNameInvalid);
            Add("PUBACK with flags", WirePacket.Raw(0x41, 0, 1));
            Add("PUBACK of one byte", WirePacket.Raw(0x40, 0));
            Add("PUBACK of identifier 0", WirePacket.Raw(0x40, 0, 0), ReasonCode.ProtocolError);
            Add("PUBREL without flag", WirePacket.Raw(0x60, 0, 1));
            Add("SUBSCRIBE of a filter that is not UTF-8", WirePacket.Raw(0x82, 0, 1, 0, 1, 0xFF, 0), ReasonCode.MalformedPacket, 3, 4);
            AddV5("SUBSCRIBE of a filter that is not UTF-8", WirePacket.Raw(0x82, 0, 1, 0, 0, 1, 0xFF, 0));
            Add("SUBSCRIBE without flag", WirePacket.Raw(0x80, 0, 1, 0, 1, (byte)'a', 0));
            Add("SUBSCRIBE of identifier 0", WirePacket.Raw(0x82, 0, 0, 0, 0, 1, (byte)'a', 0), ReasonCode.ProtocolError);
            Add("SUBSCRIBE without filter", WirePacket.Raw(0x82, 0, 1), ReasonCode.ProtocolError, 3, 4);
            Add("SUBSCRIBE with QoS 3", WirePacket.Subscribe(1, [("a", 3)], 4), ReasonCode.ProtocolError, 4);
            Add("SUBSCRIBE with reserved bits", WirePacket.Subscribe(1, [("a", 0x40)], 4), ReasonCode.MalformedPacket, 4);
            Add("UNSUBSCRIBE of a filter that is not UTF-8", WirePacket.Raw(0xA2, 0, 1, 0, 1, 0xFF), ReasonCode.MalformedPacket, 3, 4);
            AddV5("UNSUBSCRIBE of a filter that is not UTF-8", WirePacket.Raw(0xA2, 0, 1, 0, 0, 1, 0xFF));
            Add("UNSUBSCRIBE without flag", WirePacket.Raw(0xA0, 0, 1, 0, 1, (byte)'a'));
            Add("UNSUBSCRIBE without filter", WirePacket.Raw(0xA2, 0, 1), ReasonCode.ProtocolError, 3, 4);
            Add("remaining length with a needless byte", [0xC0, 0x80, 0x00]);
            Add("PINGREQ with a body", WirePacket.Raw(0xC0, 1));
            Add("PINGREQ with flags", WirePacket.Raw(0xC1));
            Add("DISCONNECT with flags", WirePacket.Raw(0xE1));
            Add("AUTH in 3.x", WirePacket.Raw(0xF0), ReasonCode.ProtocolError, 3, 4);
            Add("too large", [0x30, 0xFF, 0xFF, 0xFF, 0x7F], ReasonCode.PacketTooLarge);

            AddV5("SUBSCRIBE without filter", WirePacket.Raw(0x82, 0, 1, 0), ReasonCode.ProtocolError);
            AddV5("SUBSCRIBE with QoS 3", WirePacket.Subscribe(1, [("a", 3)]), ReasonCode.ProtocolError);
            AddV5("SUBSCRIBE with retain handling 3", WirePacket.Subscribe(1, [("a", 0x30)]), ReasonCode.ProtocolError);
            AddV5("SUBSCRIBE with reserved bits", WirePacket.Subscribe(1, [("a", 0x80)]));
            AddV5("SUBSCRIBE with identifier property 0", WirePacket.Subscribe(1, "a", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 0)), ReasonCode.ProtocolError);
            AddV5("SUBSCRIBE with two identifiers",
                WirePacket.Subscribe(1, "a", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 1).Add(PropertyId.SubscriptionIdentifier, 2)), ReasonCode.ProtocolError);
            AddV5("SUBSCRIBE with empty filter", WirePacket.Subscribe(1, ""), ReasonCode.TopicFilterInvalid);
            AddV5("UNSUBSCRIBE without filter", WirePacket.Raw(0xA2, 0, 1, 0), ReasonCode.ProtocolError);
            AddV5("property not for PUBLISH", Publish(new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)1)));
            AddV5("property unknown", WirePacket.Raw(0x30, 0, 1, (byte)'a', 2, 0x7F, 0));
            AddV5("property twice", Publish(new WireProperties().Add(PropertyId.ContentType, "a").Add(PropertyId.ContentType, "a")), ReasonCode.ProtocolError);
            AddV5("payload format 2", Publish(new WireProperties().Add(PropertyId.PayloadFormatIndicator, (byte)2)), ReasonCode.ProtocolError);
            AddV5("property longer than properties", WirePacket.Raw(0x30, 0, 1, (byte)'a', 3, 3, 0, 9, (byte)'x'));
            AddV5("properties longer than packet", WirePacket.Raw(0x30, 0, 1, (byte)'a', 50, 3));
            AddV5("subscription identifier from client", Publish(new WireProperties().Add(PropertyId.SubscriptionIdentifier, 1)), ReasonCode.ProtocolError);
            AddV5("response topic with wildcard", Publish(new WireProperties().Add(PropertyId.ResponseTopic, "a/#")), ReasonCode.ProtocolError);
            AddV5("response topic that is not UTF-8", Publish(new WireProperties().Add(PropertyId.ResponseTopic, new byte[] { 0xC3, 0x28 })));
            AddV5("response topic with NUL", Publish(new WireProperties().Add(PropertyId.ResponseTopic, "a\0")));
            AddV5("content type that is not UTF-8", Publish(new WireProperties().Add(PropertyId.ContentType, new byte[] { 0xED, 0xA0, 0x80 })));
            AddV5("user property's name that is not UTF-8", PublishUser([0xFF], "a"u8.ToArray()));
            AddV5("user property's value that is not UTF-8", PublishUser("a"u8.ToArray(), [0xFF]));
            AddV5("user property that is not UTF-8 in SUBSCRIBE", WirePacket.Raw(0x82, 0, 1, 6, 0x26, 0, 1, (byte)'a', 0, 1, 0xFF, 0, 1, (byte)'a', 0));

            AddV5("neither topic nor alias", WirePacket.Publish("", "x"), ReasonCode.ProtocolError);
            AddV5("PUBACK with unknown code", WirePacket.Raw(0x40, 0, 1, 0x55), ReasonCode.ProtocolError);
            AddV5("PUBREL with unknown code", WirePacket.Raw(0x62, 0, 1, 0x10), ReasonCode.ProtocolError);
            AddV5("DISCONNECT with server's code", WirePacket.Raw(0xE0, 0x8B), ReasonCode.ProtocolError);
            AddV5("DISCONNECT that raises expiry from zero",
                WirePacket.Disconnect(ReasonCode.Success, new WireProperties().Add(PropertyId.SessionExpiryInterval, 5u)), ReasonCode.ProtocolError);
            AddV5("AUTH without method", WirePacket.Auth(ReasonCode.ContinueAuthentication), ReasonCode.ProtocolError);
            AddV5("AUTH without exchange",
                WirePacket.Auth(ReasonCode.ContinueAuthentication, new WireProperties().Add(PropertyId.AuthenticationMethod, "none")), ReasonCode.ProtocolError);
            AddV5("AUTH with success", WirePacket.Raw(0xF0), ReasonCode.ProtocolError);
            return cases;
        }
    }

    /// <summary>First bytes of a connection, and the CONNACK code; 255 for none.</summary>
    public static TheoryData<string, byte[], byte> Connects
    {
        get
        {
            const byte None = 255;
            byte[] v311 = WirePacket.Connect("x", 4);
            byte[] v5 = WirePacket.Connect("x");
            return new TheoryData<string, byte[], byte>
            {
                { "HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), None },
                { "PINGREQ first", WirePacket.Pingreq, None },
                { "PUBLISH first", WirePacket.Publish("a", "x"), None },
                { "zeros", new byte[64], None },
                { "CONNECT with flags", [0x11, .. v311[1..]], None },
                { "protocol name of another", WirePacket.Raw(0x10, [.. WirePacket.Text("NATS"), 4, 2, 0, 0, 0, 1, 97]), 1 },
                { "version 6", WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 6, 2, 0, 0, 0, 0, 1, 97]), 0x84 },
                { "version 2 of 3.1.1's name", WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 2, 2, 0, 0, 0, 1, 97]), 1 },
                { "3.1.1 with reserved flag", WirePacket.Connect("x", 4, reservedFlag: true), None },
                { "5.0 with reserved flag", WirePacket.Connect("x", reservedFlag: true), 0x81 },
                { "3.1.1 password without user", WirePacket.Connect("x", 4, password: [1]), None },
                { "3.1.1 will QoS 3", WirePacket.Connect("x", 4, will: new WireWill("a", "b", (Qos)3)), None },
                { "5.0 will QoS 3", WirePacket.Connect("x", will: new WireWill("a", "b", (Qos)3)), 0x81 },
                { "5.0 will topic with wildcard", WirePacket.Connect("x", will: new WireWill("a/+", "b")), 0x90 },
                { "5.0 will QoS without will", WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 5, 0x0A, 0, 0, 0, 0, 1, 97]), 0x81 },
                { "3.1.1 cut short", WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 4, 2, 0]), None },
                { "5.0 cut short", WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), 5, 2, 0]), 0x81 },
                { "3.1.1 with a tail", WirePacket.Raw(0x10, [.. v311[2..], 0]), None },
                { "5.0 with a tail", WirePacket.Raw(0x10, [.. v5[2..], 0]), 0x81 },
                { "5.0 receive maximum 0", WirePacket.Connect("x", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)0)), 0x82 },
                { "5.0 maximum packet size 0", WirePacket.Connect("x", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 0u)), 0x82 },
                { "5.0 data without method", WirePacket.Connect("x", properties: new WireProperties().Add(PropertyId.AuthenticationData, new byte[1])), 0x82 },
                { "5.0 unknown method", WirePacket.Connect("x", properties: new WireProperties().Add(PropertyId.AuthenticationMethod, "none")), 0x8C },
                { "5.0 property of PUBLISH", WirePacket.Connect("x", properties: new WireProperties().Add(PropertyId.ContentType, "a")), 0x81 },
                { "client identifier with NUL", WirePacket.Connect("a\0b"), 0x81 },
                { "3.1.1 empty client identifier, session kept", WirePacket.Connect("", 4, cleanStart: false), 2 },
                { "3.1 empty client identifier", WirePacket.Connect("", 3), 2 },
                { "5.0 will text that is not", WirePacket.Connect("x", will: new WireWill("a", [0xFF], Properties: new WireProperties().Add(PropertyId.PayloadFormatIndicator, true))), 0x99 },
                { "too large", [0x10, 0xFF, 0xFF, 0xFF, 0x7F], None },
            };
        }
    }

    [Theory]
    [MemberData(nameof(AfterConnack))]
    [Clause("MQTT-4.13.1-1")]
    [Clause("3.1.1 MQTT-4.8.0-1")]
    [Clause("3.1.1 MQTT-2.3.1-6")]
    [Clause("MQTT-4.13.2-1")]
    [Clause("MQTT-1.5.4-1")]
    [Clause("MQTT-1.5.4-2")]
    [Clause("MQTT-1.5.5-1")]
    [Clause("MQTT-1.5.7-1")]
    [Clause("MQTT-3.3.2-1")]
    [Clause("MQTT-3.3.2-13")]
    [Clause("MQTT-3.3.2-19")]
    [Clause("MQTT-3.8.3-1")]
    [Clause("MQTT-3.10.3-1")]
    public async Task EndsConnection_WhenPacketIsWrong(string name, int level, byte[] bytes, byte code)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"bad-{name}-{level}", level);
        await client.SendAsync(bytes, WirePacket.Pingreq, WirePacket.Publish("bad/after", "x", level: level)); // what follows is not read
        await client.ExpectDisconnectAsync((ReasonCode)code);
        await broker.ExpectOthersUnaffectedAsync();
    }

    [Theory]
    [MemberData(nameof(Connects))]
    [Clause("MQTT-3.1.4-1")]
    [Clause("MQTT-3.1.4-2")]
    [Clause("3.1.1 MQTT-3.1.4-1")]
    [Clause("MQTT-3.2.2-7")]
    [Clause("MQTT-3.14.0-1")]
    [Clause("MQTT-4.13.2-1")]
    public async Task RefusesConnection_WhenConnectIsWrong(string name, byte[] bytes, byte code)
    {
        await using var client = await RawClient.OpenAsync(broker, name.StartsWith("5.0", StringComparison.Ordinal) || code > 5 ? 5 : 4);
        await client.SendAsync(bytes);
        if (code != 255) Assert.Equal((ReasonCode)code, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        await broker.ExpectOthersUnaffectedAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Understands_WhenBytesComeOneByOne(int level)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        byte[] all =
        [
            .. WirePacket.Connect("slow", level), .. WirePacket.Subscribe(1, "slow", Qos.AtLeastOnce, level: level),
            .. WirePacket.Publish("slow", "hello", Qos.AtLeastOnce, 2, level: level), .. WirePacket.Pingreq,
        ];
        foreach (var one in all) await client.SendAsync([one]);
        await client.ExpectAsync(PacketType.Connack);
        await client.ExpectAsync(PacketType.Suback);
        var types = new List<PacketType>();
        for (var i = 0; i < 3; i++) types.Add((await client.ReceiveAsync()).Type);
        Assert.Equal([PacketType.Publish, PacketType.Puback, PacketType.Pingresp], types.Order());
    }

    [Fact]
    public async Task Understands_WhenAllComesAtOnce()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync([WirePacket.Connect("fast"), WirePacket.Subscribe(1, "fast"), .. Enumerable.Range(0, 500).Select(i => WirePacket.Publish("fast", $"{i}"))]);
        await client.ExpectAsync(PacketType.Connack);
        await client.ExpectAsync(PacketType.Suback);
        for (var i = 0; i < 500; i++) await client.ExpectPublishAsync("fast", $"{i}");
    }

    [Fact]
    public async Task Closes_WhenConnectDoesNotCome()
    {
        await using var silent = await RawClient.OpenAsync(broker);
        await using var partial = await RawClient.OpenAsync(broker);
        await partial.SendAsync(WirePacket.Connect("partial")[..5]);
        await broker.ExpectOthersUnaffectedAsync();
        broker.Advance(TimeSpan.FromSeconds(16));
        await silent.ExpectClosedAsync();
        await partial.ExpectClosedAsync();
    }

    private static byte[] PublishUser(byte[] name, byte[] value) =>
        WirePacket.Raw(0x30, [.. WirePacket.Text("a"), (byte)(5 + name.Length + value.Length), 0x26, .. WirePacket.Binary(name), .. WirePacket.Binary(value)]);

    private static byte[] Publish(WireProperties properties) => WirePacket.Publish("a", "x", properties: properties);

    public sealed class Broker : BrokerHost
    {
        private RawClient? witness;

        /// <summary>A client that was there before still gets its messages, and nothing that came after a wrong packet.</summary>
        public async Task ExpectOthersUnaffectedAsync()
        {
            if (witness is null)
            {
                witness = await RawClient.ConnectAsync(this, "witness");
                await witness.SubscribeAsync("bad/after");
                await witness.SubscribeAsync("witness");
            }

            await witness.SendAsync(WirePacket.Publish("witness", "here"));
            await witness.ExpectPublishAsync("witness", "here");
        }
    }
}
