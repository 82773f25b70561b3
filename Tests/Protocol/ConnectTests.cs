using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class ConnectTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.2.0-1")]
    [Clause("MQTT-3.2.2-2")]
    public async Task AcceptsWithoutSession_WhenVersionIsKnown(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"version-{level}", level);
        Assert.False(client.Connack.SessionPresent);
        Assert.Equal(0, client.Connack.Flags);
    }

    [Theory]
    [InlineData("MQTT", 6, 5)]
    [InlineData("MQTT", 3, 4)]
    [InlineData("MQIsdp", 4, 3)]
    [Clause("MQTT-3.1.2-2")]
    [Clause("3.1.1 MQTT-3.1.2-2")]
    public async Task RefusesWithTheNearestVersionsCode_WhenVersionIsUnknown(string name, int level, int answerLevel)
    {
        await using var client = await RawClient.OpenAsync(broker, answerLevel);
        await client.SendAsync(WirePacket.Raw(0x10, [.. WirePacket.Text(name), (byte)level, 2, 0, 0, .. level > 4 ? new byte[] { 0 } : [], .. WirePacket.Text("unknown")]));
        var connack = await client.ExpectAsync(PacketType.Connack);
        Assert.Equal(answerLevel == 5 ? ReasonCode.UnsupportedProtocolVersion : (ReasonCode)1, connack.Code);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.1.2-3")]
    public async Task ClosesSilently_WhenReservedFlagIsSetInV311()
    {
        await using var client = await RawClient.OpenAsync(broker, 4);
        await client.SendAsync(WirePacket.Connect("reserved", 4, reservedFlag: true));
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-3")]
    public async Task RefusesAsMalformed_WhenReservedFlagIsSetInV5()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("reserved", reservedFlag: true));
        Assert.Equal(ReasonCode.MalformedPacket, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.0-2")]
    [Clause("3.1.1 MQTT-3.1.0-2")]
    public async Task ClosesAsProtocolError_WhenConnectComesTwice(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"twice-{level}", level);
        await client.SendAsync(WirePacket.Connect($"twice-{level}", level));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    [Clause("MQTT-3.1.0-1")]
    public async Task ClosesSilently_WhenFirstPacketIsNotConnect()
    {
        foreach (var packet in new[] { WirePacket.Pingreq, WirePacket.Publish("a", "b"), WirePacket.Subscribe(1, "a"), WirePacket.Disconnect() })
        {
            await using var client = await RawClient.OpenAsync(broker);
            await client.SendAsync(packet);
            await client.ExpectClosedAsync();
        }
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [Clause("3.1.1 MQTT-3.1.3-8")]
    [Clause("3.1.1 MQTT-3.1.3-9")]
    public async Task RefusesClientIdentifier_WhenItIsEmptyInV3(int level, bool cleanStart)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect("", level, cleanStart));
        Assert.Equal((ReasonCode)2, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.1.3-6")]
    public async Task Accepts_WhenClientIdentifierIsEmptyAndSessionCleanInV311()
    {
        await using var one = await RawClient.ConnectAsync(broker, "", 4);
        await using var other = await RawClient.ConnectAsync(broker, "", 4);
        await one.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.3-6")]
    [Clause("MQTT-3.1.3-7")]
    [Clause("MQTT-3.2.2-16")]
    public async Task AssignsUsableClientIdentifier_WhenItIsEmptyInV5()
    {
        await using var one = await RawClient.ConnectAsync(broker, "", expiry: 100);
        await using var other = await RawClient.ConnectAsync(broker, "");
        var assigned = Assert.IsType<string>(one.Connack.Properties[PropertyId.AssignedClientIdentifier]);
        Assert.NotEqual(assigned, other.Connack.Properties[PropertyId.AssignedClientIdentifier]);
        await one.DisconnectAsync();
        await using var again = await RawClient.ConnectAsync(broker, assigned, cleanStart: false, expiry: 100);
        Assert.True(again.Connack.SessionPresent);
        Assert.Null(again.Connack.Properties[PropertyId.AssignedClientIdentifier]);
    }

    [Fact]
    [Clause("MQTT-3.1.3-5")]
    public async Task AcceptsClientIdentifier_WhenItIsLongOrNotAscii()
    {
        await using var client = await RawClient.ConnectAsync(broker, new string('x', 300) + "-ж-\U0001F600");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.4-5")]
    public async Task HandlesWhatFollowsConnectInOneWrite_WhenAccepted(int level)
    {
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(
            WirePacket.Connect($"eager-{level}", level, keepAlive: 60), WirePacket.Subscribe(7, "eager/+", level: level),
            WirePacket.Publish($"eager/{level}", "x", level: level), WirePacket.Pingreq);
        await client.ExpectAsync(PacketType.Connack);
        Assert.Equal(7, (await client.ExpectAsync(PacketType.Suback)).Id);
        await client.ExpectPublishAsync($"eager/{level}", "x");
        await client.ExpectAsync(PacketType.Pingresp);
    }

    [Fact]
    [Clause("MQTT-4.12.0-1")]
    public async Task RefusesWithBadAuthenticationMethod_WhenItIsUnknown()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("method", properties: new WireProperties().Add(PropertyId.AuthenticationMethod, "NONE-SUCH")));
        Assert.Equal(ReasonCode.BadAuthenticationMethod, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    public static TheoryData<string> BadProperties => ["receive maximum 0", "receive maximum twice", "packet size 0", "data without method", "problem information 2", "topic alias in CONNECT"];

    [Theory]
    [MemberData(nameof(BadProperties))]
    [Clause("MQTT-3.1.4-1")]
    public async Task RefusesAsProtocolErrorOrMalformed_WhenPropertyIsWrong(string which)
    {
        var properties = which switch
        {
            "receive maximum 0" => new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)0),
            "receive maximum twice" => new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)5).Add(PropertyId.ReceiveMaximum, (ushort)5),
            "packet size 0" => new WireProperties().Add(PropertyId.MaximumPacketSize, 0u),
            "data without method" => new WireProperties().Add(PropertyId.AuthenticationData, new byte[] { 1 }),
            "problem information 2" => new WireProperties().Add(PropertyId.RequestProblemInformation, (byte)2),
            _ => new WireProperties().Add(PropertyId.TopicAlias, (ushort)1),
        };
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("wrong", properties: properties));
        var expected = which == "topic alias in CONNECT" ? ReasonCode.MalformedPacket : ReasonCode.ProtocolError;
        Assert.Equal(expected, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("3.1.1 MQTT-3.1.2-22")]
    public async Task ClosesSilently_WhenPasswordHasNoUserNameInV311()
    {
        await using var client = await RawClient.OpenAsync(broker, 4);
        await client.SendAsync(WirePacket.Connect("password", 4, password: [1, 2]));
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-19")]
    public async Task Accepts_WhenPasswordHasNoUserNameInV5()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("password", password: [1, 2]));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
    }

    [Fact]
    [Clause("MQTT-3.1.2-24")]
    [Clause("MQTT-3.1.2-25")]
    public async Task SkipsPublish_WhenItIsLargerThanTheClientAccepts()
    {
        await using var client = await RawClient.ConnectAsync(broker, "small", properties: new WireProperties().Add(PropertyId.MaximumPacketSize, 60u));
        await using var publisher = await RawClient.ConnectAsync(broker, "small-publisher");
        await client.SubscribeAsync("small/#", Qos.ExactlyOnce);
        foreach (var qos in new[] { Qos.AtMostOnce, Qos.AtLeastOnce, Qos.ExactlyOnce })
        {
            await publisher.PublishAsync("small/a", new string('x', 100), qos);
            await publisher.PublishAsync("small/a", $"fits {qos}", qos);
            await client.ExpectPublishAsync("small/a", $"fits {qos}", qos);
        }
    }

    [Fact]
    [Clause("MQTT-3.3.4-9")]
    public async Task KeepsToReceiveMaximum_WhenTheClientSetsIt()
    {
        await using var client = await RawClient.ConnectAsync(broker, "receive-max", properties: new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)2));
        await using var publisher = await RawClient.ConnectAsync(broker, "receive-max-publisher");
        await client.SubscribeAsync("receive-max", Qos.ExactlyOnce);
        for (var i = 0; i < 4; i++) await publisher.PublishAsync("receive-max", $"{i}", i % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
        var first = await client.ExpectPublishAsync("receive-max", "0", Qos.AtLeastOnce);
        var second = await client.ExpectPublishAsync("receive-max", "1", Qos.ExactlyOnce);
        await client.ExpectNothingAsync();
        // PUBREC does not free a place, PUBCOMP does.
        await client.SendAsync(WirePacket.Pubrec(second.Id));
        Assert.Equal(second.Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
        await client.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Pubcomp(second.Id));
        await client.ExpectPublishAsync("receive-max", "2", Qos.AtLeastOnce);
        await client.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Puback(first.Id));
        await client.ExpectPublishAsync("receive-max", "3", Qos.ExactlyOnce);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-11")]
    [Clause("MQTT-3.1.2-12")]
    public async Task RefusesConnect_WhenWillFlagsContradict(int level)
    {
        foreach (var flags in new byte[] { 0x0A, 0x22, 0x1E })
        {
            await using var client = await RawClient.OpenAsync(broker, level);
            await client.SendAsync(WirePacket.Raw(0x10, [.. WirePacket.Text("MQTT"), (byte)level, flags, 0, 0, .. level == 5 ? new byte[] { 0 } : [], .. WirePacket.Text("flags"),
                .. flags == 0x1E ? (byte[])[.. level == 5 ? new byte[] { 0 } : [], .. WirePacket.Text("t"), .. WirePacket.Text("p")] : []]));
            if (level == 5) Assert.Equal(ReasonCode.MalformedPacket, (await client.ExpectAsync(PacketType.Connack)).Code);
            await client.ExpectClosedAsync();
        }
    }
}
