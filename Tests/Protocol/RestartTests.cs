using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>The broker is stopped and started on the same data.</summary>
public class RestartTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-23")]
    public async Task KeepsDurableSessions_WhenTheBrokerRestarts(int level)
    {
        uint? expiry = level == 5 ? 1000 : null;
        var broker = await StartAsync([]);
        await using var ending = broker;
        var client = await RawClient.ConnectAsync(broker, "durable", level, cleanStart: false, expiry: expiry);
        await client.SubscribeAsync("a/+", Qos.ExactlyOnce);
        await client.SubscribeAsync("#", Qos.AtMostOnce, identifier: level == 5 ? 9 : null);
        var publisher = await RawClient.ConnectAsync(broker, "publisher", level, cleanStart: false, expiry: expiry);
        for (var i = 0; i < 4; i++) await publisher.PublishAsync($"a/{i}", $"{i}", i < 2 ? Qos.AtLeastOnce : Qos.ExactlyOnce);
        var packets = new List<ServerPacket>();
        for (var i = 0; i < 4; i++) packets.Add(await client.ExpectAsync(PacketType.Publish));
        await client.SendAsync(WirePacket.Puback(packets[0].Id), WirePacket.Pubrec(packets[2].Id));
        await client.ExpectAsync(PacketType.Pubrel);
        // Half a QoS 2 from the client to the broker.
        await publisher.SendAsync(WirePacket.Publish("a/half", "once", Qos.ExactlyOnce, 500, level: level));
        await publisher.ExpectAsync(PacketType.Pubrec);
        packets.Add(await client.ExpectAsync(PacketType.Publish));

        await broker.RestartAsync();
        publisher = await RawClient.ConnectAsync(broker, "publisher", level, cleanStart: false, expiry: expiry);
        Assert.True(publisher.Connack.SessionPresent);
        await publisher.SendAsync(WirePacket.Publish("a/half", "once", Qos.ExactlyOnce, 500, dup: true, level: level));
        await publisher.ExpectAsync(PacketType.Pubrec);
        await publisher.SendAsync(WirePacket.Pubrel(500));
        await publisher.ExpectAsync(PacketType.Pubcomp);
        await publisher.PublishAsync("a/5", "5");
        await publisher.PublishAsync("other", "6");

        client = await RawClient.ConnectAsync(broker, "durable", level, cleanStart: false, expiry: expiry);
        Assert.True(client.Connack.SessionPresent);
        Assert.Equal(packets[2].Id, (await client.ExpectAsync(PacketType.Pubrel)).Id);
        foreach (var at in new[] { 1, 3, 4 })
        {
            var again = await client.ExpectPublishAsync(packets[at].Topic, packets[at].Text, packets[at].Qos);
            Assert.Equal((packets[at].Id, true), (again.Id, again.Dup));
        }

        Assert.False((await client.ExpectPublishAsync("a/5", "5", Qos.AtLeastOnce)).Id == 0);
        var last = await client.ExpectPublishAsync("other", "6");
        if (level == 5) Assert.Equal([9], last.Properties.Every<int>(PropertyId.SubscriptionIdentifier));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.3.1-1")]
    public async Task MarksOnlyWhatWasSentAsRepeated_WhenTheBrokerRestarts()
    {
        await using var broker = await StartAsync([]);
        var client = await RawClient.ConnectAsync(broker, "away", expiry: 1000);
        await client.SubscribeAsync("a", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await publisher.PublishAsync("a", "sent");
        await client.ExpectPublishAsync("a", "sent", Qos.AtLeastOnce);
        await client.DisconnectAsync();
        await publisher.PublishAsync("a", "kept");
        await broker.RestartAsync();
        client = await RawClient.ConnectAsync(broker, "away", cleanStart: false, expiry: 1000);
        Assert.True((await client.ExpectPublishAsync("a", "sent", Qos.AtLeastOnce)).Dup);
        Assert.False((await client.ExpectPublishAsync("a", "kept", Qos.AtLeastOnce)).Dup);
    }

    [Fact]
    public async Task KeepsTimeOfWillsAndExpiries_WhenTheBrokerRestarts()
    {
        await using var broker = await StartAsync([]);
        var will = new WireWill("late/will", "dead", Qos.AtLeastOnce, properties: new WireProperties().Add(PropertyId.WillDelayInterval, 100u));
        await (await RawClient.ConnectAsync(broker, "dies", expiry: 1000, will: will)).DisconnectAsync(ReasonCode.DisconnectWithWill);
        await (await RawClient.ConnectAsync(broker, "expires", expiry: 50)).DisconnectAsync();
        await (await RawClient.ConnectAsync(broker, "stays", expiry: 5000)).DisconnectAsync();
        await broker.RestartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("late/#", Qos.AtLeastOnce);
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(101));
        await watcher.ExpectPublishAsync("late/will", "dead", Qos.AtLeastOnce);
        await using var expired = await RawClient.ConnectAsync(broker, "expires", cleanStart: false, expiry: 50);
        Assert.False(expired.Connack.SessionPresent);
        await using var kept = await RawClient.ConnectAsync(broker, "stays", cleanStart: false, expiry: 50);
        Assert.True(kept.Connack.SessionPresent);
    }

    [Fact]
    public async Task KeepsConnectedSessionsAndRetainedMessages_WhenTheBrokerRestarts()
    {
        await using var broker = await StartAsync([]);
        var connected = await RawClient.ConnectAsync(broker, "connected", expiry: 50);
        await connected.SubscribeAsync("c", Qos.AtLeastOnce);
        var transient = await RawClient.ConnectAsync(broker, "transient");
        await transient.SubscribeAsync("c", Qos.AtLeastOnce);
        await transient.PublishAsync("kept/a", "retained", retain: true);
        await broker.RestartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("kept/#");
        Assert.True((await watcher.ExpectPublishAsync("kept/a", "retained")).Retain);
        await watcher.PublishAsync("c", "x");
        await using var back = await RawClient.ConnectAsync(broker, "connected", cleanStart: false, expiry: 50);
        Assert.True(back.Connack.SessionPresent);
        await back.ExpectPublishAsync("c", "x", Qos.AtLeastOnce);
        await using var none = await RawClient.ConnectAsync(broker, "transient", cleanStart: false);
        Assert.False(none.Connack.SessionPresent);
    }

    [Fact]
    [Clause("MQTT-3.1.2-8")]
    public async Task EndsConnectionsThatDiedWithIt_WhenTheBrokerIsKilled()
    {
        await using var killed = await StartAsync([]);
        await (await RawClient.ConnectAsync(killed, "watcher", expiry: 1000)).SubscribeAsync("killed/#", Qos.AtLeastOnce);
        await using var atOnce = await RawClient.ConnectAsync(killed, "at once", expiry: 1000, will: new WireWill("killed/at once", "dead", Qos.AtLeastOnce));
        var delay = new WireProperties().Add(PropertyId.WillDelayInterval, 100u);
        await using var delayed = await RawClient.ConnectAsync(killed, "delayed", expiry: 1000, will: new WireWill("killed/delayed", "dead", Qos.AtLeastOnce, properties: delay));
        await using var expires = await RawClient.ConnectAsync(killed, "expires", expiry: 50);
        await atOnce.PublishAsync("killed/stored", "stored"); // acknowledged: in the store

        await using var broker = await killed.StartFromCopyAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher", cleanStart: false, expiry: 1000);
        Assert.True(watcher.Connack.SessionPresent);
        await watcher.ExpectPublishAsync("killed/stored", "stored", Qos.AtLeastOnce);
        await watcher.ExpectPublishAsync("killed/at once", "dead", Qos.AtLeastOnce);
        await broker.Services.GetRequiredService<IGrainFactory>().GetGrain<IDueSweeperGrain>(0).Ping(); // its round is done
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(101));
        await watcher.ExpectPublishAsync("killed/delayed", "dead", Qos.AtLeastOnce);
        await using var late = await RawClient.ConnectAsync(broker, "expires", cleanStart: false, expiry: 50);
        Assert.False(late.Connack.SessionPresent);
        await watcher.ExpectNothingAsync();
    }

    protected virtual Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(settings);
}
