using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>`$exclusive/…`: one holder, who is free to come and go.</summary>
public sealed class ExclusiveSubscriptionTests(ExclusiveSubscriptionTests.Fixture fixture) : IClassFixture<ExclusiveSubscriptionTests.Fixture>
{
    private readonly BrokerHost broker = fixture.Host;

    /// <summary>A broker that has them.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal BrokerHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await BrokerHost.StartAsync(new() { ["Mqtt:ExclusiveSubscription"] = "true" });
            using var api = new ApiClient(Host);
            await api.SucceedAsync("POST", "/acl", """{"topic":"forbidden/#","action":"sub","access":"deny"}""");
        }

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

    [Theory]
    [InlineData("$exclusive/ex/{0}", "ex/{0}", false)]
    [InlineData("$exclusive/ex/{0}/#", "ex/{0}/deep", false)]
    [InlineData("$exclusive/+/{0}", "ex/{0}", false)] // in every shard
    [InlineData("$exclusive/ex/{0}", "ex/{0}", true)]
    [InlineData("$exclusive/+/{0}", "ex/{0}", true)]
    public async Task SecondIsRefused_UntilTheFirstLeaves(string filter, string topic, bool durable)
    {
        var name = $"n{filter.Length}{durable}";
        (filter, topic) = (filter.Replace("{0}", name, StringComparison.Ordinal), topic.Replace("{0}", name, StringComparison.Ordinal));
        uint? expiry = durable ? 600u : null;
        await using var first = await RawClient.ConnectAsync(broker, $"{name}-1", expiry: expiry);
        await using var second = await RawClient.ConnectAsync(broker, $"{name}-2", expiry: expiry);
        await using var old = await RawClient.ConnectAsync(broker, $"{name}-3", level: 4);
        await first.SubscribeAsync(filter, Qos.AtLeastOnce);
        await RefusedAsync(second, filter, ReasonCode.QuotaExceeded);
        await RefusedAsync(old, filter, ReasonCode.UnspecifiedError); // 3.x: 0x80
        await first.SubscribeAsync(filter, Qos.ExactlyOnce); // its own again
        await old.PublishAsync(topic, "one");
        await first.SendAsync(WirePacket.Puback((await first.ExpectPublishAsync(topic, "one", Qos.AtLeastOnce)).Id));
        await second.ExpectNothingAsync();

        await first.SendAsync(WirePacket.Unsubscribe(7, [filter]));
        Assert.Equal(ReasonCode.Success, (await first.ExpectAsync(PacketType.Unsuback)).Code);
        await second.SubscribeAsync(filter);
        await RefusedAsync(first, filter, ReasonCode.QuotaExceeded);
        await old.PublishAsync(topic, "two");
        await second.ExpectPublishAsync(topic, "two");
        await first.ExpectNothingAsync();

        second.Drop();
        await broker.SettleAsync();
        if (!durable)
        {
            await Wait.UntilAsync(async () => await TryAsync(old, filter) == 0, "the filter is free");
            return;
        }

        // It is kept for a session that is away, and goes with the session.
        await RefusedAsync(first, filter, ReasonCode.QuotaExceeded);
        await using (await RawClient.ConnectAsync(broker, $"{name}-2", cleanStart: true)) await first.SubscribeAsync(filter);
    }

    [Fact]
    public async Task HolderStays_WhenTheBrokerStartsAgain()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Mqtt:ExclusiveSubscription"] = "true" });
        await using (var holder = await RawClient.ConnectAsync(own, "holder", expiry: 600)) await holder.SubscribeAsync("$exclusive/kept", Qos.AtLeastOnce);
        await using (var passing = await RawClient.ConnectAsync(own, "passing")) await passing.SubscribeAsync("$exclusive/free", Qos.AtLeastOnce);
        await own.RestartAsync();
        await using var other = await RawClient.ConnectAsync(own, "other");
        await RefusedAsync(other, "$exclusive/kept", ReasonCode.QuotaExceeded);
        await other.SubscribeAsync("$exclusive/free");
        await other.PublishAsync("kept", "for the holder");
        await using var back = await RawClient.ConnectAsync(own, "holder", cleanStart: false, expiry: 600);
        await back.ExpectPublishAsync("kept", "for the holder", Qos.AtLeastOnce);
    }

    [Fact]
    public async Task RetainedIsSent_AndRulesHoldForTheTopic_AndOthersMatchToo()
    {
        await using var client = await RawClient.ConnectAsync(broker, "ex-retained");
        await using var plain = await RawClient.ConnectAsync(broker, "ex-plain");
        await client.PublishAsync("ex-kept/1", "kept", retain: true);
        await RefusedAsync(client, "$exclusive/forbidden/1", ReasonCode.NotAuthorized);
        await client.SubscribeAsync("$exclusive/ex-kept/+");
        Assert.True((await client.ExpectPublishAsync("ex-kept/1", "kept")).Retain);
        await plain.SubscribeAsync("ex-kept/2");
        await plain.PublishAsync("ex-kept/2", "both", Qos.AtMostOnce);
        await plain.ExpectPublishAsync("ex-kept/2", "both");
        await client.ExpectPublishAsync("ex-kept/2", "both");
        using var api = new ApiClient(broker);
        var row = Assert.Single((await api.SucceedAsync("GET", "/subscriptions/ex-retained")).EnumerateArray());
        Assert.Equal("$exclusive/ex-kept/+", row.GetProperty("topic").GetString());
        Assert.NotEqual(0, (await api.CallAsync("POST", "/mqtt/subscribe", """{"clientid":"ex-plain","topic":"$exclusive/ex-kept/+"}""")).GetProperty("code").GetInt32());
    }

    [Theory]
    [InlineData("$exclusive/")]
    [InlineData("$exclusive/a/#/b")]
    [InlineData("$exclusive/$share/g/a")]
    [InlineData("$share/g/$exclusive/a")]
    public async Task FilterIsInvalid_WhenNested(string filter)
    {
        await using var client = await RawClient.ConnectAsync(broker, "ex-nested");
        await RefusedAsync(client, filter, ReasonCode.TopicFilterInvalid);
    }

    [Fact]
    public async Task FilterIsInvalid_WhenThereAreNone()
    {
        await using var plain = await BrokerHost.StartAsync([]);
        await using var client = await RawClient.ConnectAsync(plain, "ex-off");
        await RefusedAsync(client, "$exclusive/a", ReasonCode.TopicFilterInvalid);
        await using var old = await RawClient.ConnectAsync(plain, "ex-off-old", level: 4);
        await RefusedAsync(old, "$exclusive/a", ReasonCode.UnspecifiedError);
    }

    [Fact]
    public async Task OneWins_WhenManyAskAtOnce()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => RawClient.ConnectAsync(broker, $"ex-race-{number}", expiry: number % 2 == 0 ? 600u : null)));
        for (var round = 0; round < 25; round++)
        {
            var filter = round % 3 == 0 ? "$exclusive/+/race" : "$exclusive/ex/race";
            var codes = await Task.WhenAll(clients.Select(client => TryAsync(client, filter)));
            Assert.Equal([0, .. Enumerable.Repeat(0x97, clients.Length - 1)], codes.Order());
            var winner = clients[Array.IndexOf(codes, 0)];
            await clients[0].PublishAsync("ex/race", $"{round}", Qos.AtMostOnce);
            await winner.ExpectPublishAsync("ex/race", $"{round}");
            await winner.SendAsync(WirePacket.Unsubscribe(7, [filter]));
            await winner.ExpectAsync(PacketType.Unsuback);
        }

        foreach (var client in clients)
        {
            await client.ExpectNothingAsync();
            await client.DisposeAsync();
        }
    }

    private static async Task<int> TryAsync(RawClient client, string filter)
    {
        await client.SendAsync(WirePacket.Subscribe(99, filter, level: client.Level));
        return (int)(await client.ExpectAsync(PacketType.Suback)).Code;
    }

    private static async Task RefusedAsync(RawClient client, string filter, ReasonCode code) => Assert.Equal((int)code, await TryAsync(client, filter));
}
