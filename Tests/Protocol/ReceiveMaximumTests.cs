using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>How many incomplete QoS 1 and 2 messages a client may have: what it is told, and what happens beyond.</summary>
public class ReceiveMaximumTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Fact]
    [Clause("MQTT-3.3.4-7")]
    public async Task DisconnectsWithReceiveMaximumExceeded_WhenTooManyQos2AreUnreleased()
    {
        await using var small = await StartAsync(new() { ["Mqtt:ReceiveMaximum"] = "3", ["Mqtt:MaxAwaitingRel"] = "0" });
        foreach (uint? expiry in new uint?[] { null, 100 })
        {
            await using var client = await RawClient.ConnectAsync(small, $"unreleased-{expiry}", expiry: expiry);
            Assert.Equal((ushort)3, client.Connack.Properties[PropertyId.ReceiveMaximum]);
            // Those that are released or acknowledged do not count.
            for (var i = 0; i < 5; i++) await client.PublishAsync("unreleased", "x", i % 2 == 0 ? Qos.ExactlyOnce : Qos.AtLeastOnce);
            for (ushort id = 100; id < 103; id++)
            {
                await client.SendAsync(WirePacket.Publish("unreleased", "x", Qos.ExactlyOnce, id));
                await client.ExpectAsync(PacketType.Pubrec);
            }

            await client.SendAsync(WirePacket.Publish("unreleased", "x", Qos.ExactlyOnce, 103));
            await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-3.3.4-7")]
    public async Task TakesAll_WhenClientFillsTheWindowItWasTold(uint? expiry)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"window-{expiry}", expiry: expiry);
        var told = (ushort)client.Connack.Properties[PropertyId.ReceiveMaximum]!;
        // All but one wait for PUBREL: QoS 1 still goes through the one that is left.
        await client.SendAsync([.. Enumerable.Range(1, told - 1).Select(id => WirePacket.Publish("window", "x", Qos.ExactlyOnce, (ushort)id))]);
        for (var id = 1; id < told; id++) Assert.Equal(id, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        for (var i = 0; i < 5; i++)
        {
            await client.SendAsync(WirePacket.Publish("window", "x", Qos.AtLeastOnce, 50_000));
            await client.ExpectAsync(PacketType.Puback);
        }

        await client.SendAsync(WirePacket.Publish("window", "x", Qos.ExactlyOnce, told));
        await client.ExpectAsync(PacketType.Pubrec);
        await client.SendAsync(WirePacket.Publish("window", "x", Qos.AtLeastOnce, 50_000));
        await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    [Fact]
    [Clause("MQTT-3.3.4-7")]
    public async Task GivesTheWholeWindow_WhenClientReturnsWithUnreleasedMessages()
    {
        await using var small = await StartAsync(new() { ["Mqtt:ReceiveMaximum"] = "2" });
        var id = 0;
        for (var i = 0; i < 3; i++)
        {
            await using var client = await RawClient.ConnectAsync(small, "returns", cleanStart: i == 0, expiry: 100);
            for (var n = 0; n < 2; n++)
            {
                await client.SendAsync(WirePacket.Publish("unreleased", "x", Qos.ExactlyOnce, (ushort)++id));
                await client.ExpectAsync(PacketType.Pubrec);
            }

            await client.DisconnectAsync();
        }

        await using var last = await RawClient.ConnectAsync(small, "returns", cleanStart: false, expiry: 100);
        await last.SendAsync([.. Enumerable.Range(1, id).Select(WirePacket.Pubrel)]);
        for (var at = 1; at <= id; at++) Assert.Equal((at, ReasonCode.Success), ((await last.ExpectAsync(PacketType.Pubcomp)) is var one ? (one.Id, one.Code) : default));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task ClosesTheConnection_WhenTooManyQos2OfOlderVersionsAreUnreleased(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"awaiting-{level}", level);
        await client.SendAsync([.. Enumerable.Range(1, 101).Select(id => WirePacket.Publish("awaiting", "x", Qos.ExactlyOnce, (ushort)id, level: level))]);
        for (var id = 1; id <= 100; id++) Assert.Equal(id, (await client.ExpectAsync(PacketType.Pubrec)).Id);
        await client.ExpectClosedAsync();
    }

    private Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => broker.StartOtherAsync(settings);
}
