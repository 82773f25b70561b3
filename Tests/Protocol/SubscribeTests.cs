using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class SubscribeTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    public static TheoryData<int, uint?> Kinds => new() { { 4, null }, { 5, null }, { 5, 1000u } };

    [Theory]
    [MemberData(nameof(Kinds))]
    [Clause("MQTT-3.8.4-1")]
    [Clause("MQTT-3.8.4-2")]
    [Clause("MQTT-3.8.4-6")]
    [Clause("MQTT-3.9.3-1")]
    [Clause("MQTT-4.7.1-1")]
    [Clause("MQTT-4.7.1-2")]
    [Clause("MQTT-4.8.2-1")]
    [Clause("MQTT-2.2.1-6")]
    [Clause("MQTT-3.8.4-5")]
    [Clause("MQTT-3.8.4-7")]
    [Clause("MQTT-3.9.3-2")]
    public async Task AnswersEachFilterInOrder_WhenSomeAreInvalid(int level, uint? expiry)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"codes-{level}-{expiry}", level, expiry: expiry);
        await client.SendAsync(WirePacket.Subscribe(321,
            [("a", 0), ("a/#/b", 0), ("b/+", 1), ("b+", 1), ("#", 2), ("c#", 2), ("$share//a", 0), ("$share/g", 0), ("$share/g/a/+", 1), ("+/+", 2)], level));
        var suback = await client.ExpectAsync(PacketType.Suback);
        var refused = level == 5 ? ReasonCode.TopicFilterInvalid : ReasonCode.UnspecifiedError;
        Assert.Equal(321, suback.Id);
        Assert.Equal(
            [ReasonCode.Success, refused, ReasonCode.GrantedQos1, refused, ReasonCode.GrantedQos2, refused, refused, refused, ReasonCode.GrantedQos1, ReasonCode.GrantedQos2],
            suback.Codes);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TakesManyFilters_WhenInOnePacket(int level, uint? expiry)
    {
        var name = $"many-{level}-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await client.SendAsync(WirePacket.Subscribe(1, [.. Enumerable.Range(0, 500).Select(i => ($"{name}/{i}/+", (byte)(i % 3)))], level));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (ReasonCode)(i % 3)), (await client.ExpectAsync(PacketType.Suback)).Codes);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        foreach (var i in new[] { 0, 3, 250, 498, 499 })
        {
            await publisher.PublishAsync($"{name}/{i}/x", "x", Qos.AtMostOnce);
            await client.ExpectPublishAsync($"{name}/{i}/x", "x");
        }

        await client.SendAsync(WirePacket.Unsubscribe(2, [.. Enumerable.Range(0, 500).Select(i => $"{name}/{i}/+")], level));
        await client.ExpectAsync(PacketType.Unsuback);
        await publisher.PublishAsync($"{name}/3/x", "x");
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1000u)]
    [Clause("MQTT-3.3.4-2")]
    [Clause("MQTT-3.3.4-3")]
    [Clause("MQTT-3.3.4-4")]
    public async Task GetsOneCopyAtTheHighestQosWithAllIdentifiers_WhenFiltersOverlap(uint? expiry)
    {
        var name = $"overlap-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync($"{name}/#", Qos.AtMostOnce, identifier: 1);
        await client.SubscribeAsync($"{name}/a", Qos.ExactlyOnce, identifier: 268_435_455);
        await client.SubscribeAsync($"{name}/+", Qos.AtLeastOnce);
        await client.SubscribeAsync($"+/a", Qos.AtLeastOnce, identifier: 3);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync($"{name}/a", "x", Qos.ExactlyOnce);
        var packet = await client.ExpectPublishAsync($"{name}/a", "x", Qos.ExactlyOnce);
        Assert.Equal([1, 3, 268_435_455], packet.Properties.Every<int>(PropertyId.SubscriptionIdentifier).Order());
        await publisher.PublishAsync($"{name}/b", "y", Qos.ExactlyOnce);
        packet = await client.ExpectPublishAsync($"{name}/b", "y", Qos.AtLeastOnce);
        Assert.Equal([1], packet.Properties.Every<int>(PropertyId.SubscriptionIdentifier));
        await client.ExpectNothingAsync();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    [Clause("MQTT-3.8.4-3")]
    public async Task ReplacesTheSubscription_WhenTheFilterIsTheSame(int level, uint? expiry)
    {
        var name = $"replace-{level}-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        foreach (var qos in new[] { Qos.AtMostOnce, Qos.ExactlyOnce, Qos.AtLeastOnce })
        {
            await client.SubscribeAsync(name, qos, identifier: level == 5 ? (int)qos + 10 : null);
            await publisher.PublishAsync(name, $"{qos}", Qos.ExactlyOnce);
            var packet = await client.ExpectPublishAsync(name, $"{qos}", qos);
            if (level == 5) Assert.Equal([(int)qos + 10], packet.Properties.Every<int>(PropertyId.SubscriptionIdentifier));
        }

        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1000u)]
    [Clause("MQTT-4.7.2-1")]
    public async Task GetsNoDollarTopics_WhenTheFilterBeginsWithAWildcard(uint? expiry)
    {
        var name = $"$dollar-{expiry}";
        await using var wild = await RawClient.ConnectAsync(broker, name + "w", expiry: expiry);
        await wild.SubscribeAsync("#", options: 0x20);
        await wild.SubscribeAsync("+/x/#", options: 0x20);
        await using var exact = await RawClient.ConnectAsync(broker, name + "e", expiry: expiry);
        await exact.SubscribeAsync($"{name}/#");
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync($"{name}/x/y", "1");
        await exact.ExpectPublishAsync($"{name}/x/y", "1");
        await wild.ExpectNothingAsync();
        await publisher.PublishAsync($"dollar{expiry}/x/$y", "2");
        await wild.ExpectPublishAsync($"dollar{expiry}/x/$y", "2");
    }

    [Fact]
    [Clause("MQTT-4.7.3-4")]
    [Clause("MQTT-3.3.2-3")]
    public async Task MatchesByLevels_WhenFiltersAreUnusual()
    {
        (string Filter, string[] Matches, string[] Others)[] cases =
        [
            ("m1/#", ["m1", "m1/a", "m1/a/b", "m1/"], ["m11", "/m1"]),
            ("m2/+", ["m2/a", "m2/"], ["m2", "m2/a/b"]),
            ("+/m3", ["/m3", "a/m3"], ["m3", "a/m3/"]),
            ("/m4", ["/m4"], ["m4", "/m4/"]),
            ("m5//x", ["m5//x"], ["m5/x"]),
            ("m6/+/+", ["m6//", "m6/a/b"], ["m6/a"]),
            ("m 7/é", ["m 7/é"], ["m 7/e"]),
        ];
        await using var publisher = await RawClient.ConnectAsync(broker, "levels-publisher");
        foreach (var (filter, matches, others) in cases)
        {
            await using var client = await RawClient.ConnectAsync(broker, "levels");
            await client.SubscribeAsync(filter);
            foreach (var topic in others) await publisher.PublishAsync(topic, "other");
            foreach (var topic in matches)
            {
                await publisher.PublishAsync(topic, filter);
                await client.ExpectPublishAsync(topic, filter);
            }

            await client.ExpectNothingAsync();
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1000u)]
    [Clause("MQTT-3.8.3-3")]
    [Clause("MQTT-3.3.1-12")]
    [Clause("MQTT-3.3.1-13")]
    public async Task KeepsToItsOptions_WhenNoLocalOrRetainAsPublishedIsSet(uint? expiry)
    {
        var name = $"options-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, expiry: expiry);
        await client.SubscribeAsync(name + "/local", options: 4);
        await client.SubscribeAsync(name + "/as", options: 8);
        await client.SubscribeAsync(name + "/not");
        await client.PublishAsync(name + "/local", "own");
        await client.ExpectNothingAsync();
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync(name + "/local", "others");
        await client.ExpectPublishAsync(name + "/local", "others");
        await publisher.PublishAsync(name + "/as", "kept", retain: true);
        Assert.True((await client.ExpectPublishAsync(name + "/as", "kept")).Retain);
        await publisher.PublishAsync(name + "/not", "cleared", retain: true);
        Assert.False((await client.ExpectPublishAsync(name + "/not", "cleared")).Retain);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.8.3-2")]
    [Clause("MQTT-3.8.3-4")]
    [Clause("MQTT-3.8.3-5")]
    [Clause("MQTT-3.10.3-2")]
    public async Task ClosesTheConnection_WhenSubscribeIsMalformed(int level)
    {
        var wrong = new List<byte[]>
        {
            WirePacket.Subscribe(1, [], level), WirePacket.Subscribe(0, "a", level: level), WirePacket.Subscribe(1, [("a", 3)], level),
            WirePacket.Unsubscribe(1, [], level), WirePacket.Unsubscribe(0, ["a"], level), WirePacket.Subscribe(1, [("a", 0x40)], level),
        };
        if (level == 5)
        {
            wrong.Add(WirePacket.Subscribe(1, [("$share/g/a", 4)])); // no local on a shared subscription
            wrong.Add(WirePacket.Subscribe(1, [("a", 0x30)])); // retain handling 3
            wrong.Add(WirePacket.Subscribe(1, "a", properties: new WireProperties().Add(PropertyId.SubscriptionIdentifier, 0)));
        }

        foreach (var packet in wrong)
        {
            await using var client = await RawClient.ConnectAsync(broker, $"wrong-{level}", level);
            await client.SendAsync(packet);
            if (level == 5)
            {
                var code = (await client.ExpectAsync(PacketType.Disconnect)).Code;
                Assert.True(code is ReasonCode.ProtocolError or ReasonCode.MalformedPacket, $"{Convert.ToHexString(packet)}: {code}");
            }

            await client.ExpectClosedAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    [Clause("MQTT-3.10.4-1")]
    [Clause("MQTT-3.10.4-2")]
    [Clause("MQTT-3.10.4-4")]
    [Clause("MQTT-3.10.4-5")]
    [Clause("MQTT-3.10.4-6")]
    [Clause("MQTT-2.2.1-6")]
    [Clause("MQTT-3.11.3-1")]
    [Clause("MQTT-3.11.3-2")]
    public async Task AnswersEachFilter_WhenUnsubscribed(int level, uint? expiry)
    {
        var name = $"leave-{level}-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await client.SubscribeAsync($"{name}/+");
        await client.SubscribeAsync($"{name}/kept");
        await client.SendAsync(WirePacket.Unsubscribe(77, [$"{name}/a", $"{name}/+", "a/#/b"], level));
        var unsuback = await client.ExpectAsync(PacketType.Unsuback);
        Assert.Equal(77, unsuback.Id);
        Assert.Equal(level == 5 ? [ReasonCode.NoSubscriptionExisted, ReasonCode.Success, ReasonCode.TopicFilterInvalid] : [], unsuback.Codes);
        await client.PublishAsync($"{name}/a", "gone");
        await client.ExpectNothingAsync();
        await client.PublishAsync($"{name}/kept", "kept", Qos.AtMostOnce);
        await client.ExpectPublishAsync($"{name}/kept", "kept");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    [Clause("MQTT-3.10.4-3")]
    public async Task CompletesWhatIsInFlight_WhenUnsubscribed(int level, uint? expiry)
    {
        var name = $"inflight-{level}-{expiry}";
        await using var client = await RawClient.ConnectAsync(broker, name, level, expiry: expiry);
        await client.SubscribeAsync(name, Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, name + "p");
        await publisher.PublishAsync(name, "x", Qos.ExactlyOnce);
        var packet = await client.ExpectPublishAsync(name, "x", Qos.ExactlyOnce);
        await client.SendAsync(WirePacket.Unsubscribe(5, [name], level));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.SendAsync(WirePacket.Pubrec(packet.Id));
        Assert.Equal((packet.Id, ReasonCode.Success), await PubrelAsync(client));
    }

    private static async Task<(int, ReasonCode)> PubrelAsync(RawClient client)
    {
        var pubrel = await client.ExpectAsync(PacketType.Pubrel);
        return (pubrel.Id, pubrel.Code);
    }
}
