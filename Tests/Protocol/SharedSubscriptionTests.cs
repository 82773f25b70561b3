using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public class SharedSubscriptionTests : IClassFixture<SharedSubscriptionTests.Broker>
{
    private readonly BrokerHost broker;

    public SharedSubscriptionTests(Broker broker) => this.broker = broker;

    [Theory]
    [InlineData("$share/{0}/ss/{0}", "ss/{0}")]
    [InlineData("$queue/ss/q/{0}", "ss/q/{0}")]
    [InlineData("$share/{0}/+/{0}/#", "ss/{0}/x")]
    [InlineData("$share/{0}/#", "wide/{0}")]
    [Clause("MQTT-4.8.2-4")]
    public async Task GivesEachMessageToOneMember_WhenShared(string filter, string topic)
    {
        var name = $"g{filter.Length}{filter[1]}";
        (filter, topic) = (filter.Replace("{0}", name, StringComparison.Ordinal), topic.Replace("{0}", name, StringComparison.Ordinal));
        await using var publisher = await RawClient.ConnectAsync(broker, $"{name}-p");
        await using var plain = await RawClient.ConnectAsync(broker, $"{name}-plain");
        await plain.SubscribeAsync(topic);
        var members = await MembersAsync(name, filter, 3, durable: [false, false, true]);
        for (var i = 0; i < 30; i++) await publisher.PublishAsync(topic, $"{i}", (Qos)(i % 2));
        var seen = new List<string>();
        foreach (var member in members) seen.AddRange(await DrainAsync(member));
        Assert.Equal(Enumerable.Range(0, 30), seen.Select(int.Parse).Order());
        for (var i = 0; i < 30; i++) await plain.ExpectPublishAsync(topic, $"{i}");
        await DisposeAsync(members);
    }

    [Fact]
    public async Task TakesTurns_WhenRoundRobin()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rr-p");
        var members = await MembersAsync("rr", "$share/rr/st/rr", 3);
        for (var i = 0; i < 30; i++) await publisher.PublishAsync("st/rr", $"{i}");
        foreach (var member in members) Assert.Equal(10, (await DrainAsync(member)).Count);
        await DisposeAsync(members);
    }

    [Fact]
    public async Task StaysWithOneMember_WhenStickyUntilItLeaves()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "sticky-p");
        var members = await MembersAsync("sticky", "$share/sticky/st/sticky", 3);
        var stuck = -1;
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 10; i++) await publisher.PublishAsync("st/sticky", $"{i}");
            var counts = new List<int>();
            foreach (var member in members) counts.Add(members.IndexOf(member) == stuck ? 0 : (await DrainAsync(member)).Count);
            Assert.Equal([0, 0, 10], counts.Order());
            stuck = counts.IndexOf(10);
            await members[stuck].DisconnectAsync();
            if (round == 0) members = [.. members.Where((_, at) => at != stuck), (await MembersAsync("sticky-new", "$share/sticky/st/sticky", 1))[0]];
            stuck = -1;
        }

        await DisposeAsync(members);
    }

    [Fact]
    public async Task KeepsPublisherTogether_WhenHashClientId()
    {
        var members = await MembersAsync("hc", "$share/hash_clientid/st/hc/+", 4);
        for (var p = 0; p < 8; p++)
        {
            await using var publisher = await RawClient.ConnectAsync(broker, $"hc-p{p}");
            for (var i = 0; i < 5; i++) await publisher.PublishAsync($"st/hc/{i}", $"{p}");
        }

        await ExpectGroupsStayTogetherAsync(members, 8, 5);
    }

    [Fact]
    public async Task KeepsTopicTogether_WhenHashTopic()
    {
        var members = await MembersAsync("ht", "$share/hash_topic/st/ht/+", 4);
        await using var publisher = await RawClient.ConnectAsync(broker, "ht-p");
        for (var i = 0; i < 40; i++) await publisher.PublishAsync($"st/ht/{i % 8}", $"{i % 8}");
        await ExpectGroupsStayTogetherAsync(members, 8, 5);
    }

    [Fact]
    public async Task ReachesEveryMember_WhenRandom()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rnd-p");
        var members = await MembersAsync("rnd", "$share/other/st/rnd", 3);
        for (var i = 0; i < 90; i++) await publisher.PublishAsync("st/rnd", $"{i}", Qos.AtMostOnce);
        await publisher.ExpectNothingAsync();
        var counts = new List<int>();
        foreach (var member in members) counts.Add((await DrainAsync(member)).Count);
        Assert.Equal(90, counts.Sum());
        Assert.All(counts, count => Assert.InRange(count, 5, 70));
        await DisposeAsync(members);
    }

    /// <summary>What the leaving member has not acknowledged, and what still waits for its window, goes to the other.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Redispatches_WhenMemberLeavesWithUnacknowledged(bool durable, bool otherDurable)
    {
        var name = $"rd{durable}{otherDurable}";
        await using var publisher = await RawClient.ConnectAsync(broker, $"{name}-p");
        var leaving = (await MembersAsync(name, $"$share/rd/rd/{name}", 1, [durable], window: 5))[0];
        for (var i = 0; i < 20; i++) await publisher.PublishAsync($"rd/{name}", $"{i}");
        for (var i = 0; i < 5; i++) await leaving.ExpectPublishAsync($"rd/{name}", $"{i}", Qos.AtLeastOnce);
        var other = (await MembersAsync($"{name}-o", $"$share/rd/rd/{name}", 1, [otherDurable]))[0];
        if (durable) await leaving.SendAsync(WirePacket.Disconnect(ReasonCode.Success, new WireProperties().Add(PropertyId.SessionExpiryInterval, 0u)));
        else leaving.Drop();
        var seen = new List<int>();
        while (seen.Count < 20)
        {
            var got = await other.ExpectAsync(PacketType.Publish);
            seen.Add(int.Parse(got.Text, System.Globalization.CultureInfo.InvariantCulture));
            await other.SendAsync(WirePacket.Puback(got.Id));
        }

        Assert.Equal(Enumerable.Range(0, 20), seen.Order());
        await other.ExpectNothingAsync();
        await DisposeAsync([leaving, other]);
    }

    [Fact]
    [Clause("MQTT-4.8.2-5")]
    public async Task KeepsQos2FromOthers_WhenMemberLeavesInTheMiddle()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rd2-p");
        await using var leaving = await RawClient.ConnectAsync(broker, "rd2-0", properties: Window(1));
        await leaving.SubscribeAsync("$share/rd/rd/2", Qos.ExactlyOnce);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync("rd/2", $"{i}", Qos.ExactlyOnce);
        await leaving.ExpectPublishAsync("rd/2", "0", Qos.ExactlyOnce); // it may have this one
        await using var other = await RawClient.ConnectAsync(broker, "rd2-1");
        await other.SubscribeAsync("$share/rd/rd/2", Qos.ExactlyOnce);
        leaving.Drop();
        await other.ExpectPublishAsync("rd/2", "1", Qos.ExactlyOnce);
        await other.ExpectPublishAsync("rd/2", "2", Qos.ExactlyOnce);
        await other.ExpectNothingAsync();
    }

    [Fact]
    public async Task QueuesForDurableMember_WhenItIsAway()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "away-p");
        var members = await MembersAsync("away", "$share/rr/st/away", 2, [true, true]);
        foreach (var member in members) await member.DisconnectAsync();
        for (var i = 0; i < 10; i++) await publisher.PublishAsync("st/away", $"{i}");
        var seen = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            await using var back = await RawClient.ConnectAsync(broker, $"away-{i}", cleanStart: false, expiry: 60);
            var got = await DrainAsync(back);
            Assert.Equal(5, got.Count);
            seen.AddRange(got);
        }

        Assert.Equal(Enumerable.Range(0, 10), seen.Select(int.Parse).Order());
        await DisposeAsync(members);
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

    /// <summary>Members come and go while messages flow: each acknowledged QoS 1 message reaches at least one.</summary>
    [Fact]
    public async Task LosesNothing_WhenMembersComeAndGo()
    {
        const int Count = 1500;
        await using var publisher = await RawClient.ConnectAsync(broker, "churn-p");
        await using var steady = await RawClient.ConnectAsync(broker, "churn-steady", properties: Window(30_000));
        await steady.SubscribeAsync("$share/churn/churn/#", Qos.AtLeastOnce);
        var seen = new HashSet<string>();
        var members = 0;
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await publisher.PublishAsync($"churn/{i % 3}", $"{i}");
        }, TestContext.Current.CancellationToken);
        while (!publishing.IsCompleted)
        {
            var passing = await RawClient.ConnectAsync(broker, $"churn-{members++}");
            await passing.SubscribeAsync("$share/churn/churn/#", Qos.AtLeastOnce);
            for (var round = 0; round < 3; round++)
            {
                await passing.SendAsync(WirePacket.Pingreq);
                for (ServerPacket got; (got = await passing.ReceiveAsync()).Type == PacketType.Publish;)
                {
                    if (got.Id % 3 != 0) continue; // the others it leaves unacknowledged
                    await passing.SendAsync(WirePacket.Puback(got.Id));
                    seen.Add(got.Text);
                }
            }

            await passing.DisposeAsync();
        }

        await publishing;
        while (seen.Count < Count)
        {
            var got = await steady.ExpectAsync(PacketType.Publish);
            seen.Add(got.Text);
            await steady.SendAsync(WirePacket.Puback(got.Id));
        }
    }

    private async Task<List<RawClient>> MembersAsync(string name, string filter, int count, bool[]? durable = null, int window = 32)
    {
        var members = new List<RawClient>();
        for (var i = 0; i < count; i++)
        {
            var member = await RawClient.ConnectAsync(broker, $"{name}-{i}", expiry: durable?[i] == true ? 60u : null, properties: Window(window));
            await member.SubscribeAsync(filter, Qos.AtLeastOnce);
            members.Add(member);
        }

        return members;
    }

    private static WireProperties Window(int size) => new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)size);

    /// <summary>All that has been sent to the client, acknowledged on the way.</summary>
    private async Task<List<string>> DrainAsync(RawClient client)
    {
        var all = new List<string>();
        for (var calm = 0; calm < 2; calm++)
        {
            await broker.QuietAsync();
            await client.SendAsync(WirePacket.Pingreq);
            for (ServerPacket got; (got = await client.ReceiveAsync()).Type == PacketType.Publish;)
            {
                calm = -1;
                all.Add(got.Text);
                if (got.Qos == Qos.AtLeastOnce) await client.SendAsync(WirePacket.Puback(got.Id));
            }
        }

        return all;
    }

    private async Task ExpectGroupsStayTogetherAsync(List<RawClient> members, int groups, int size)
    {
        var owners = new Dictionary<string, int>();
        var total = 0;
        for (var at = 0; at < members.Count; at++)
        {
            foreach (var payload in await DrainAsync(members[at]))
            {
                Assert.Equal(at, owners.GetValueOrDefault(payload, at));
                owners[payload] = at;
                total++;
            }
        }

        Assert.Equal(groups * size, total);
        Assert.True(owners.Values.Distinct().Count() > 1, "all fell to one member");
        await DisposeAsync(members);
    }

    private static async Task DisposeAsync(IEnumerable<RawClient> clients)
    {
        foreach (var client in clients) await client.DisposeAsync();
    }

    public class Broker() : BrokerHost(new Dictionary<string, string?>
    {
        ["Routing:SharedStrategy"] = "Random", ["Routing:GroupStrategies:rr"] = "RoundRobin", ["Routing:GroupStrategies:sticky"] = "Sticky",
        ["Routing:GroupStrategies:hash_clientid"] = "HashClientId", ["Routing:GroupStrategies:hash_topic"] = "HashTopic", ["Mqtt:MaxQueueLength"] = "0", ["Gateway:EventLoops"] = "4",
    });
}
