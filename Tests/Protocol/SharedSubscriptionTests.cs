using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>How shared subscriptions are made, matched and ended.</summary>
public class SharedSubscriptionTests : IClassFixture<SharedBroker>
{
    private readonly BrokerHost broker;

    public SharedSubscriptionTests(SharedBroker broker) => this.broker = broker;

    [Theory]
    [InlineData("$share/{0}/ss/{0}", "ss/{0}")]
    [InlineData("$queue/ss/q/{0}", "ss/q/{0}")]
    [InlineData("$share/{0}/+/{0}/#", "ss/{0}/x")]
    [InlineData("$share/{0}/#", "wide/{0}")]
    public async Task GivesEachMessageToOneMember_WhenShared(string filter, string topic)
    {
        var name = $"g{filter.Length}{filter[1]}";
        (filter, topic) = (filter.Replace("{0}", name, StringComparison.Ordinal), topic.Replace("{0}", name, StringComparison.Ordinal));
        await using var publisher = await RawClient.ConnectAsync(broker, $"{name}-p");
        await using var plain = await RawClient.ConnectAsync(broker, $"{name}-plain");
        await plain.SubscribeAsync(topic);
        var members = await SharedMembers.ConnectAsync(broker, name, filter, 3, durable: [false, false, true]);
        for (var i = 0; i < 30; i++) await publisher.PublishAsync(topic, $"{i}", (Qos)(i % 2));
        var seen = new List<string>();
        foreach (var member in members) seen.AddRange(await member.DrainAsync());
        Assert.Equal(Enumerable.Range(0, 30), seen.Select(int.Parse).Order());
        for (var i = 0; i < 30; i++) await plain.ExpectPublishAsync(topic, $"{i}");
        await SharedMembers.DisposeAsync(members);
    }

    [Fact]
    public async Task SendsNoRetained_WhenShared()
    {
        await using var client = await RawClient.ConnectAsync(broker, "sret");
        await client.PublishAsync("st/ret", "kept", retain: true);
        await client.SubscribeAsync("$share/g/st/ret");
        await client.SubscribeAsync("$queue/st/ret");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.8.3-4")]
    public async Task Disconnects_WhenNoLocalOnShared()
    {
        await using var client = await RawClient.ConnectAsync(broker, "snl");
        await client.SendAsync(WirePacket.Subscribe(1, "$share/g/a", options: 4));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData("$share/g")]
    [InlineData("$share//a")]
    [InlineData("$share/g/")]
    [InlineData("$share/g+/a")]
    [InlineData("$share/#/a")]
    [InlineData("$share")]
    [InlineData("$queue/")]
    [InlineData("$share/g/$share/h/a")]
    [InlineData("$share/g/a#")]
    [Clause("MQTT-4.8.2-1")]
    [Clause("MQTT-4.8.2-2")]
    public async Task RefusesFilter_WhenShareIsMalformed(string filter)
    {
        await using var client = await RawClient.ConnectAsync(broker, "smal-" + filter.GetHashCode(StringComparison.Ordinal));
        await client.SendAsync(WirePacket.Subscribe(1, filter));
        Assert.Equal(ReasonCode.TopicFilterInvalid, (await client.ExpectAsync(PacketType.Suback)).Code);
    }

    [Fact]
    public async Task StopsDelivery_WhenMemberUnsubscribes()
    {
        await using var client = await RawClient.ConnectAsync(broker, "sun");
        await client.SubscribeAsync("$share/g/st/un", Qos.AtLeastOnce, identifier: 3);
        await client.SubscribeAsync("$share/g/st/un", Qos.AtMostOnce, identifier: 4); // replaces
        await client.SendAsync(WirePacket.Publish("st/un", "1"));
        Assert.Equal((int[])[4], (await client.ExpectPublishAsync("st/un", "1")).Properties.Every<int>(PropertyId.SubscriptionIdentifier));
        await client.SendAsync(WirePacket.Unsubscribe(9, ["$share/g/st/un", "$share/h/st/un", "st/un"]));
        Assert.Equal((ReasonCode[])[ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.NoSubscriptionExisted], (await client.ExpectAsync(PacketType.Unsuback)).Codes);
        await client.SendAsync(WirePacket.Publish("st/un", "2"));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.8.2-3")]
    public async Task DeliversAtTheGrantedQos_WhenMembersDiffer()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "sq-p");
        var members = new List<RawClient>();
        for (var qos = Qos.AtMostOnce; qos <= Qos.ExactlyOnce; qos++)
        {
            members.Add(await RawClient.ConnectAsync(broker, $"sq-{qos}"));
            await members[^1].SubscribeAsync("$share/rr/st/qos", qos);
        }

        for (var i = 0; i < 6; i++) await publisher.PublishAsync("st/qos", "x", Qos.ExactlyOnce);
        for (var at = 0; at < members.Count; at++)
        {
            for (var i = 0; i < 2; i++) await members[at].ExpectPublishAsync("st/qos", "x", (Qos)at);
            await members[at].ExpectNothingAsync();
        }

        await SharedMembers.DisposeAsync(members);
    }

    /// <summary>A shared subscription and one of its own are two: each brings its copy.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(100u)]
    [Clause("MQTT-3.3.4-5")]
    public async Task BringsItsOwnCopyAndIdentifier_WhenTheMemberIsSubscribedBesides(uint? expiry)
    {
        var name = $"sown-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync($"$share/{name}/st/{name}", Qos.AtLeastOnce, identifier: 7);
        await client.SubscribeAsync($"st/{name}", identifier: 8);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "-p");
        await publisher.PublishAsync($"st/{name}", "x");
        var copies = new List<(Qos, int)>();
        for (var i = 0; i < 2; i++)
        {
            var packet = await client.ExpectAsync(PacketType.Publish);
            copies.Add((packet.Qos, Assert.Single(packet.Properties.Every<int>(PropertyId.SubscriptionIdentifier))));
        }

        Assert.Equal([(Qos.AtMostOnce, 8), (Qos.AtLeastOnce, 7)], copies.Order());
        await client.ExpectNothingAsync();
    }
}
