using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class DisconnectTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.14.4-1")]
    [Clause("MQTT-3.14.4-2")]
    public async Task ClosesAndIgnoresWhatFollows_WhenTheClientDisconnects(int level)
    {
        await using var watcher = await RawClient.ConnectAsync(broker, $"watcher-{level}");
        await watcher.SubscribeAsync($"after/{level}");
        await using var client = await RawClient.ConnectAsync(broker, $"leaves-{level}", level);
        await client.SendAsync(WirePacket.Disconnect(), WirePacket.Publish($"after/{level}", "x", level: level), WirePacket.Pingreq);
        await client.ExpectClosedAsync();
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.14.1-1")]
    public async Task AnswersMalformedOrProtocolError_WhenDisconnectIsWrong()
    {
        (byte[] Packet, ReasonCode Code)[] wrong =
        [
            (WirePacket.Raw(0xE1), ReasonCode.MalformedPacket),
            (WirePacket.Disconnect((ReasonCode)0x8E), ReasonCode.ProtocolError), // for servers only
            (WirePacket.Disconnect((ReasonCode)0x7F), ReasonCode.ProtocolError),
            (WirePacket.Disconnect(ReasonCode.Success, new WireProperties().Add(PropertyId.ServerReference, "x")), ReasonCode.MalformedPacket),
            (WirePacket.Disconnect(ReasonCode.Success, new WireProperties().Add(PropertyId.ReasonString, "x").Add(PropertyId.ReasonString, "x")), ReasonCode.ProtocolError),
        ];
        foreach (var (packet, code) in wrong)
        {
            await using var client = await RawClient.ConnectAsync(broker, "wrong");
            await client.SendAsync(packet);
            var answer = await client.ExpectAsync(PacketType.Disconnect);
            Assert.True(answer.Code == code || answer.Code is ReasonCode.MalformedPacket or ReasonCode.ProtocolError, $"{Convert.ToHexString(packet)}: {answer}");
            await client.ExpectClosedAsync();
        }
    }

    [Fact]
    public async Task Accepts_WhenDisconnectHasReasonAndUserProperties()
    {
        await using var client = await RawClient.ConnectAsync(broker, "polite");
        await client.DisconnectAsync(ReasonCode.UnspecifiedError, new WireProperties().Add(PropertyId.ReasonString, "tired").Add(PropertyId.UserProperty, ("a", "b")));
    }

    [Fact]
    [Clause("MQTT-4.13.1-1")]
    [Clause("MQTT-2.1.3-1")]
    public async Task DisconnectsWithItsReason_WhenAPacketIsMalformed()
    {
        (byte[] Packet, ReasonCode Code)[] wrong =
        [
            (WirePacket.Raw(0x00), ReasonCode.MalformedPacket), // reserved type
            (WirePacket.Raw(0x80, 0, 1, 0, 0, 1, 97, 0), ReasonCode.MalformedPacket), // SUBSCRIBE flags
            (WirePacket.Raw(0x60, 0, 1), ReasonCode.MalformedPacket), // PUBREL flags
            (WirePacket.Raw(0xC1), ReasonCode.MalformedPacket), // PINGREQ flags
            (WirePacket.Raw(0xC0, 0), ReasonCode.MalformedPacket), // PINGREQ body
            ([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], ReasonCode.MalformedPacket), // remaining length
            (WirePacket.Raw(0x20, 0, 0, 0), ReasonCode.ProtocolError), // CONNACK from a client
            (WirePacket.Raw(0xD0), ReasonCode.ProtocolError), // PINGRESP from a client
            (WirePacket.Raw(0x90, 0, 1, 0, 0), ReasonCode.ProtocolError), // SUBACK from a client
            (WirePacket.Auth(ReasonCode.Reauthenticate), ReasonCode.ProtocolError), // no method in CONNECT
            (WirePacket.Raw(0x40, 0, 0), ReasonCode.ProtocolError), // PUBACK of 0
        ];
        foreach (var (packet, code) in wrong)
        {
            await using var client = await RawClient.ConnectAsync(broker, "malformed");
            await client.SendAsync(packet);
            var answer = await client.ExpectAsync(PacketType.Disconnect);
            Assert.True(answer.Code == code, $"{Convert.ToHexString(packet)}: {answer}");
            await client.ExpectClosedAsync();
        }
    }

    [Fact]
    public async Task TellsServerShuttingDown_WhenTheBrokerStops()
    {
        var other = await StartAsync([]);
        await using var client = await RawClient.ConnectAsync(other, "told");
        await using var old = await RawClient.ConnectAsync(other, "closed", 4);
        var stopping = other.DisposeAsync();
        Assert.Equal(ReasonCode.ServerShuttingDown, (await client.ExpectAsync(PacketType.Disconnect)).Code);
        Assert.Null(await client.TryReceiveAsync());
        Assert.Null(await old.TryReceiveAsync());
        await stopping;
    }

    private Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => broker.StartOtherAsync(settings);
}
