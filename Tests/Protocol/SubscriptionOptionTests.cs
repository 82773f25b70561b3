using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>No local, retain as published, retain handling.</summary>
public class SubscriptionOptionTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    private const int NoLocal = 4;
    private const int RetainAsPublished = 8;
    private const int IfNew = 0x10;
    private const int Never = 0x20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Clause("MQTT-3.8.3-3")]
    public async Task KeepsOwnMessageAway_WhenNoLocal(bool durable)
    {
        await using var own = await RawClient.ConnectAsync(broker, $"so-nl-{durable}", expiry: durable ? 60u : null);
        await using var other = await RawClient.ConnectAsync(broker, $"so-nl-o-{durable}");
        await own.SubscribeAsync($"so/nl/{durable}", Qos.AtLeastOnce, NoLocal);
        await other.SubscribeAsync($"so/nl/{durable}");
        await own.PublishAsync($"so/nl/{durable}", "mine");
        await other.ExpectPublishAsync($"so/nl/{durable}", "mine");
        await other.PublishAsync($"so/nl/{durable}", "yours", Qos.AtMostOnce);
        await own.ExpectPublishAsync($"so/nl/{durable}", "yours");
        await other.ExpectPublishAsync($"so/nl/{durable}", "yours");
        // Another subscription of the same client without no local still gets it, once.
        await own.SubscribeAsync($"so/nl/{durable}/#", Qos.AtMostOnce);
        await own.SendAsync(WirePacket.Publish($"so/nl/{durable}", "again"));
        await own.ExpectPublishAsync($"so/nl/{durable}", "again");
        await own.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Clause("MQTT-3.3.1-12")]
    [Clause("MQTT-3.3.1-13")]
    public async Task ForwardsRetainFlag_WhenRetainAsPublished(bool durable)
    {
        await using var plain = await RawClient.ConnectAsync(broker, $"so-rap-0-{durable}", expiry: durable ? 60u : null);
        await using var asPublished = await RawClient.ConnectAsync(broker, $"so-rap-1-{durable}", expiry: durable ? 60u : null);
        await plain.SubscribeAsync($"so/rap/{durable}");
        await asPublished.SubscribeAsync($"so/rap/{durable}", options: RetainAsPublished);
        await plain.SendAsync(WirePacket.Publish($"so/rap/{durable}", "kept", retain: true), WirePacket.Publish($"so/rap/{durable}", "live"));
        Assert.False((await plain.ExpectPublishAsync($"so/rap/{durable}", "kept")).Retain);
        Assert.True((await asPublished.ExpectPublishAsync($"so/rap/{durable}", "kept")).Retain);
        Assert.False((await plain.ExpectPublishAsync($"so/rap/{durable}", "live")).Retain);
        Assert.False((await asPublished.ExpectPublishAsync($"so/rap/{durable}", "live")).Retain);
    }

    [Theory]
    [InlineData(0, false, true, true)]
    [InlineData(IfNew, false, true, false)]
    [InlineData(Never, false, false, false)]
    [InlineData(0, true, true, true)]
    [InlineData(IfNew, true, true, false)]
    [InlineData(Never, true, false, false)]
    [Clause("MQTT-3.3.1-9")]
    [Clause("MQTT-3.3.1-10")]
    [Clause("MQTT-3.3.1-11")]
    public async Task SendsRetained_AsRetainHandlingSays(int handling, bool durable, bool first, bool second)
    {
        var topic = $"so/rh/{handling}/{durable}";
        await using var client = await RawClient.ConnectAsync(broker, $"so-rh-{handling}-{durable}", expiry: durable ? 60u : null);
        await client.PublishAsync(topic, "kept", retain: true);
        await client.SubscribeAsync(topic, Qos.AtMostOnce, handling);
        if (first) Assert.True((await client.ExpectPublishAsync(topic, "kept")).Retain);
        await client.SubscribeAsync(topic, Qos.AtMostOnce, handling);
        if (second) Assert.True((await client.ExpectPublishAsync(topic, "kept")).Retain);
        await client.SendAsync(WirePacket.Unsubscribe(900, [topic]));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.SubscribeAsync(topic, Qos.AtMostOnce, handling); // new again
        if (first) await client.ExpectPublishAsync(topic, "kept");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task SendsNoRetained_WhenSessionIsResumed()
    {
        await using (var before = await RawClient.ConnectAsync(broker, "so-res", expiry: 60))
        {
            await before.PublishAsync("so/res", "kept", retain: true);
            await before.SubscribeAsync("so/res");
            await before.ExpectPublishAsync("so/res", "kept");
            await before.DisconnectAsync();
        }

        await using var client = await RawClient.ConnectAsync(broker, "so-res", cleanStart: false, expiry: 60);
        await client.ExpectNothingAsync();
        await client.SubscribeAsync("so/res", options: IfNew); // exists
        await client.ExpectNothingAsync();
    }
}
