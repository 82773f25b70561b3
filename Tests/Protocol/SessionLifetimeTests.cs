using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Session present, clean start, expiry, and the switch between transient and durable sessions.</summary>
public class SessionLifetimeTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-4")]
    [Clause("MQTT-3.1.2-5")]
    [Clause("MQTT-3.1.2-6")]
    [Clause("MQTT-3.2.2-3")]
    [Clause("MQTT-3.1.4-4")]
    [Clause("MQTT-3.1.3-2")]
    public async Task ResumesOrDiscards_WhenCleanStartSaysSo(int level)
    {
        var name = $"resume-{level}";
        uint? expiry = level == 5 ? 1000 : null;
        await using (var first = await RawClient.ConnectAsync(broker, name, level, cleanStart: level == 5, expiry: expiry))
        {
            Assert.False(first.Connack.SessionPresent);
            await first.SubscribeAsync(name, Qos.AtLeastOnce);
            await first.DisconnectAsync();
        }

        await using (var second = await RawClient.ConnectAsync(broker, name, level, cleanStart: false, expiry: expiry))
        {
            Assert.Equal(level != 3, second.Connack.SessionPresent); // 3.1 has no such flag
            await second.PublishAsync(name, "kept", Qos.AtMostOnce);
            await second.ExpectPublishAsync(name, "kept");
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-4")]
    public async Task StartsEmpty_WhenDurableClientStartsClean(int level)
    {
        var name = $"clean-{level}";
        uint? expiry = level == 5 ? 1000 : null;
        for (var round = 0; round < 3; round++)
        {
            await using var old = await RawClient.ConnectAsync(broker, name, level, cleanStart: false, expiry: expiry);
            await old.SubscribeAsync($"{name}/{round}", Qos.AtLeastOnce);
            await old.DisconnectAsync();
            // In 3.x a clean session is also one that does not last.
            await using var clean = await RawClient.ConnectAsync(broker, name, level, cleanStart: true, expiry: expiry);
            Assert.False(clean.Connack.SessionPresent);
            await clean.PublishAsync($"{name}/{round}", "nobody");
            await clean.ExpectNothingAsync();
            await clean.SubscribeAsync($"{name}/again", Qos.AtMostOnce);
            await clean.DisconnectAsync();
            await using var after = await RawClient.ConnectAsync(broker, name, level, cleanStart: false, expiry: expiry);
            Assert.Equal(level == 5, after.Connack.SessionPresent);
            await after.ExpectNothingAsync();
            await after.DisconnectAsync();
        }
    }

    [Fact]
    public async Task IsKnownAsStored_WhenRecreatedByACleanStart()
    {
        await using (var first = await RawClient.ConnectAsync(broker, "recreated", expiry: 1000)) await first.DisconnectAsync();
        await using (var clean = await RawClient.ConnectAsync(broker, "recreated", expiry: 1000))
        {
            await clean.SubscribeAsync("recreated", Qos.AtLeastOnce);
            await clean.DisconnectAsync();
        }

        // Resumed, though it will end with this connection.
        await using (var last = await RawClient.ConnectAsync(broker, "recreated", cleanStart: false))
        {
            Assert.True(last.Connack.SessionPresent);
            await last.DisconnectAsync();
        }

        await using var none = await RawClient.ConnectAsync(broker, "recreated", cleanStart: false, expiry: 1000);
        Assert.False(none.Connack.SessionPresent);
    }

    [Fact]
    [Clause("MQTT-3.1.2-4")]
    public async Task LosesTheStoredSession_WhenTheClientComesBackTransient()
    {
        for (var round = 0; round < 2; round++)
        {
            await using (var durable = await RawClient.ConnectAsync(broker, "switch", cleanStart: false, expiry: 1000))
            {
                Assert.False(durable.Connack.SessionPresent);
                await durable.SubscribeAsync("switch", Qos.AtLeastOnce);
                await durable.DisconnectAsync();
            }

            await using var publisher = await RawClient.ConnectAsync(broker, "switch-publisher");
            await publisher.PublishAsync("switch", "queued");
            await using var transient = await RawClient.ConnectAsync(broker, "switch");
            Assert.False(transient.Connack.SessionPresent);
            await publisher.SendAsync(WirePacket.Publish("switch", "nobody", Qos.AtLeastOnce, 900));
            Assert.Equal(ReasonCode.NoMatchingSubscribers, (await publisher.ExpectAsync(PacketType.Puback)).Code);
            await transient.ExpectNothingAsync();
            await transient.DisconnectAsync();
        }
    }

    [Fact]
    public async Task ReplacesATransientSession_WhenTheClientComesBackDurable()
    {
        await using var transient = await RawClient.ConnectAsync(broker, "to-durable");
        await transient.SubscribeAsync("to-durable", Qos.AtLeastOnce);
        await using var durable = await RawClient.ConnectAsync(broker, "to-durable", cleanStart: false, expiry: 1000);
        Assert.False(durable.Connack.SessionPresent);
        await transient.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await durable.PublishAsync("to-durable", "nobody");
        await durable.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.1.0-2")]
    [Clause("MQTT-4.1.0-1")]
    public async Task Ends_WhenItsExpiryIntervalHasPassed()
    {
        await using (var client = await RawClient.ConnectAsync(broker, "expires", expiry: 50))
        {
            await client.SubscribeAsync("expires", Qos.AtLeastOnce);
            broker.Advance(TimeSpan.FromSeconds(100)); // connected: does not count
            await client.DisconnectAsync();
        }

        broker.Advance(TimeSpan.FromSeconds(40));
        await using (var client = await RawClient.ConnectAsync(broker, "expires", cleanStart: false, expiry: 50))
        {
            Assert.True(client.Connack.SessionPresent);
            await client.DisconnectAsync();
        }

        broker.Advance(TimeSpan.FromSeconds(60));
        await using var late = await RawClient.ConnectAsync(broker, "expires", cleanStart: false, expiry: 50);
        Assert.False(late.Connack.SessionPresent);
        await late.PublishAsync("expires", "nobody");
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-23")]
    public async Task NeverEnds_WhenExpiryIsTheMaximum()
    {
        await using (var client = await RawClient.ConnectAsync(broker, "immortal", expiry: uint.MaxValue)) await client.DisconnectAsync();
        broker.Advance(TimeSpan.FromDays(400));
        await using var late = await RawClient.ConnectAsync(broker, "immortal", cleanStart: false, expiry: 5);
        Assert.True(late.Connack.SessionPresent);
    }

    [Theory]
    [InlineData(0u, false)]
    [InlineData(5000u, true)]
    public async Task TakesTheNewExpiry_WhenDisconnectChangesIt(uint changed, bool present)
    {
        var name = $"changed-{changed}";
        await using (var client = await RawClient.ConnectAsync(broker, name, expiry: 50))
        {
            await client.DisconnectAsync(properties: new WireProperties().Add(PropertyId.SessionExpiryInterval, changed));
        }

        broker.Advance(TimeSpan.FromSeconds(changed == 0 ? 0 : 1000));
        await using var again = await RawClient.ConnectAsync(broker, name, cleanStart: false, expiry: 50);
        Assert.Equal(present, again.Connack.SessionPresent);
    }

    [Fact]
    [Clause("MQTT-4.13.1-1")]
    public async Task DisconnectsWithProtocolError_WhenExpiryIsRaisedFromZero()
    {
        await using var client = await RawClient.ConnectAsync(broker, "raised");
        await client.SendAsync(WirePacket.Disconnect(properties: new WireProperties().Add(PropertyId.SessionExpiryInterval, 10u)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        await using var again = await RawClient.ConnectAsync(broker, "raised", cleanStart: false, expiry: 10);
        Assert.False(again.Connack.SessionPresent);
    }

    [Fact]
    public async Task Resumes_WhenTheProtocolVersionChanges()
    {
        await using (var old = await RawClient.ConnectAsync(broker, "upgraded", 4, cleanStart: false))
        {
            await old.SubscribeAsync("upgraded", Qos.AtLeastOnce);
            await old.DisconnectAsync();
        }

        await using var publisher = await RawClient.ConnectAsync(broker, "upgraded-publisher");
        await publisher.PublishAsync("upgraded", "x", properties: new WireProperties().Add(PropertyId.ContentType, "t"));
        await using var upgraded = await RawClient.ConnectAsync(broker, "upgraded", 5, cleanStart: false, expiry: 600);
        Assert.True(upgraded.Connack.SessionPresent);
        Assert.Equal("t", (await upgraded.ExpectPublishAsync("upgraded", "x", Qos.AtLeastOnce)).Properties[PropertyId.ContentType]);
    }
}
