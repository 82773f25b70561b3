using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A filter that is subscribed already, or twice in one packet.</summary>
public sealed class ResubscribeTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    /// <summary>Messages flow while the subscription is replaced again and again: each comes once, in order, and what is retained every time.</summary>
    [Theory]
    [InlineData(4, null)]
    [InlineData(5, null)]
    [InlineData(5, 1000u)]
    [Clause("MQTT-3.8.4-3")]
    [Clause("MQTT-3.8.4-4")]
    public async Task LosesNothingAndSendsRetainedAgain_WhenReplacedUnderLoad(int level, uint? expiry)
    {
        const int Count = 400, Rounds = 20;
        var name = $"resub-{level}-{expiry}";
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync($"{name}/kept", "kept", retain: true);
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await client.SendAsync(WirePacket.Subscribe(1, $"{name}/+", Qos.AtLeastOnce, level: level));
        await client.ExpectAsync(PacketType.Suback);
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await publisher.PublishAsync($"{name}/flow", $"{i}");
        }, TestContext.Current.CancellationToken);
        var (next, retained, answered) = (0, 0, 1);
        while (next < Count || retained < Rounds || answered < Rounds)
        {
            var packet = await client.ReceiveAsync($"message {next} of {Count}, retained {retained} and SUBACK {answered} of {Rounds}");
            if (packet.Type == PacketType.Suback) answered++;
            else if (packet.Retain) retained++;
            else Assert.Equal($"{next++}", packet.Text);
            if (packet.Qos == Qos.AtLeastOnce) await client.SendAsync(WirePacket.Puback(packet.Id));
            // The next replacement follows when the one before has been answered in full.
            if (packet.Retain && retained < Rounds) await client.SendAsync(WirePacket.Subscribe((ushort)(retained + 1), $"{name}/+", Qos.AtLeastOnce, level: level));
        }

        await publishing;
        await client.ExpectNothingAsync();
    }

    /// <summary>One packet with the same filter three times is three SUBSCRIBE packets with one answer: the last holds.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(1000u)]
    [Clause("MQTT-3.8.4-5")]
    public async Task LastHolds_WhenAFilterComesAgainInOnePacket(uint? expiry)
    {
        const byte SendIfNew = 0x10;
        var name = $"same-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.PublishAsync(name, "kept", retain: true);
        await client.SendAsync(WirePacket.Subscribe(1, [(name, 2 | SendIfNew), (name, 1 | SendIfNew), (name, 0 | SendIfNew)]));
        Assert.Equal([ReasonCode.GrantedQos2, ReasonCode.GrantedQos1, ReasonCode.Success], (await client.ExpectAsync(PacketType.Suback)).Codes);
        // Only the first of them was new.
        Assert.True((await client.ExpectAsync(PacketType.Publish)).Retain);
        await client.ExpectNothingAsync();
        await client.PublishAsync(name, "flow", Qos.AtMostOnce);
        await client.ExpectPublishAsync(name, "flow");
        await client.ExpectNothingAsync();
        await client.SendAsync(WirePacket.Unsubscribe(2, [name, name]));
        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], (await client.ExpectAsync(PacketType.Unsuback)).Codes);
    }
}
