using System.Text.Json;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A broker on which messages to `$delayed/…` wait.</summary>
public sealed class DelayingBroker() : BrokerHost(new Dictionary<string, string?>
{
    ["Modules:Delayed"] = "true", ["Delayed:MaxPayloadBytes"] = "1000", ["Rewrite:Publish:0"] = "later/# ^later/(.+)$ $delayed/20/$1",
});

/// <summary>Delayed publish: `$delayed/{n}/{topic}`.</summary>
public class DelayedPublishTests(DelayingBroker broker) : IClassFixture<DelayingBroker>
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(2, 5)]
    public async Task MessageIsPublishedAtItsTime_WithAllThatItHad(int qos, int level)
    {
        var topic = $"dp/time/{qos}";
        await using var watcher = await WatchAsync($"dp/time/{qos}/#", $"$delayed/100/dp/time/{qos}");
        await using var publisher = await RawClient.ConnectAsync(broker, $"publisher{qos}", level);
        var properties = level < 5 ? null : new WireProperties().Add(PropertyId.ContentType, "text").Add(PropertyId.UserProperty, ("a", "b")).Add(PropertyId.CorrelationData, new byte[] { 1, 2 });
        await publisher.PublishAsync($"$delayed/100/{topic}", "x", (Qos)qos, retain: true, properties: properties);
        await publisher.ExpectNothingAsync(); // it has been handled
        broker.Advance(TimeSpan.FromSeconds(90));
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(10));
        var came = await watcher.ExpectPublishAsync(topic, "x", (Qos)qos);
        if (level == 5) Assert.Equal(("text", ("a", "b"), "\u0001\u0002"), (came.Properties[PropertyId.ContentType], came.Properties[PropertyId.UserProperty], System.Text.Encoding.UTF8.GetString((byte[])came.Properties[PropertyId.CorrelationData]!)));
        await using var late = await WatchAsync(topic);
        Assert.True((await late.ExpectPublishAsync(topic, "x", (Qos)qos)).Retain);
    }

    [Fact]
    public async Task MessageIsPublishedThen_WhenATimeIsNamed()
    {
        await using var watcher = await WatchAsync("dp/at/#");
        await using var publisher = await RawClient.ConnectAsync(broker, "at");
        var now = broker.Clock.GetUtcNow().ToUnixTimeSeconds();
        await publisher.PublishAsync($"$delayed/{now + 50}/dp/at/later", "later");
        await publisher.PublishAsync($"$delayed/{now - 50}/dp/at/past", "past");
        await watcher.ExpectPublishAsync("dp/at/past", "past", Qos.AtLeastOnce);
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(51));
        await watcher.ExpectPublishAsync("dp/at/later", "later", Qos.AtLeastOnce);
    }

    [Theory]
    [InlineData("$delayed/x/dp/bad")]
    [InlineData("$delayed/-1/dp/bad")]
    [InlineData("$delayed/5")]
    [InlineData("$delayed//dp/bad")]
    [InlineData("$delayed/99999999999/dp/bad")]
    public async Task PublisherIsTold_WhenTheTopicIsBad(string topic)
    {
        await using var watcher = await WatchAsync("dp/bad", "$delayed/#");
        await using var modern = await RawClient.ConnectAsync(broker, "modern");
        await using var old = await RawClient.ConnectAsync(broker, "old", level: 4);
        foreach (var qos in new[] { Qos.AtLeastOnce, Qos.ExactlyOnce })
        {
            var answer = qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;
            await modern.SendAsync(WirePacket.Publish(topic, "x", qos, 7));
            Assert.Equal((7, ReasonCode.TopicNameInvalid), await modern.ExpectAcknowledgementAsync(answer));
            await old.SendAsync(WirePacket.Publish(topic, "x", qos, 7, level: 4));
            Assert.Equal(7, (await old.ExpectAsync(answer)).Id);
        }

        await old.SendAsync(WirePacket.Pubrel(7), WirePacket.Publish(topic, "x", level: 4));
        await old.ExpectAsync(PacketType.Pubcomp);
        await old.ExpectNothingAsync(); // still there
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task PublisherIsTold_WhenThePayloadIsTooLarge()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "large");
        await publisher.SendAsync(WirePacket.Publish("$delayed/5/dp/large", new string('x', 1001), Qos.AtLeastOnce, 1));
        Assert.Equal((1, ReasonCode.QuotaExceeded), await publisher.ExpectAcknowledgementAsync(PacketType.Puback));
        await publisher.SendAsync(WirePacket.Publish("$delayed/5/dp/large", new string('x', 1000), Qos.ExactlyOnce, 2));
        Assert.Equal((2, ReasonCode.Success), await publisher.ExpectAcknowledgementAsync(PacketType.Pubrec));
    }

    [Fact]
    public async Task MessageIsStoredOnce_WhenQos2ComesAgain()
    {
        await using var watcher = await WatchAsync("dp/twice");
        await using (var first = await RawClient.ConnectAsync(broker, "twice", expiry: 1000))
        {
            await first.SendAsync(WirePacket.Publish("$delayed/30/dp/twice", "x", Qos.ExactlyOnce, 3));
            await first.ExpectAsync(PacketType.Pubrec);
            first.Drop();
        }

        await using var again = await RawClient.ConnectAsync(broker, "twice", cleanStart: false, expiry: 1000);
        await again.SendAsync(WirePacket.Publish("$delayed/30/dp/twice", "x", Qos.ExactlyOnce, 3, dup: true));
        await again.ExpectAsync(PacketType.Pubrec);
        broker.Advance(TimeSpan.FromSeconds(31));
        await watcher.ExpectPublishAsync("dp/twice", "x", Qos.ExactlyOnce);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task MessageIsNotPublished_WhenItHasExpiredMeanwhile()
    {
        await using var watcher = await WatchAsync("dp/expiry/#");
        await using var publisher = await RawClient.ConnectAsync(broker, "expiry");
        await publisher.PublishAsync("$delayed/20/dp/expiry/gone", "x", properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 10u));
        await publisher.PublishAsync("$delayed/20/dp/expiry/left", "x", properties: new WireProperties().Add(PropertyId.MessageExpiryInterval, 100u));
        broker.Advance(TimeSpan.FromSeconds(21));
        var came = await watcher.ExpectPublishAsync("dp/expiry/left", "x", Qos.AtLeastOnce);
        Assert.InRange((uint)came.Properties[PropertyId.MessageExpiryInterval]!, 70u, 79u);
        await watcher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WillWaits_WhenItsTopicSaysSo(bool durable)
    {
        var topic = $"dp/will/{durable}";
        await using var watcher = await WatchAsync(topic);
        var client = await RawClient.ConnectAsync(broker, topic, expiry: durable ? 1000u : 0, will: new WireWill($"$delayed/30/{topic}", "dead", Qos.AtLeastOnce));
        client.Drop();
        using var api = new ApiClient(broker);
        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", $"/mqtt/delayed/messages?topic={topic}")).GetArrayLength() == 1, "the will waits");
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(31));
        await watcher.ExpectPublishAsync(topic, "dead", Qos.AtLeastOnce);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task MessageWaits_WhenItsTopicIsRewritten()
    {
        await using var watcher = await WatchAsync("dp/rewritten");
        await using var publisher = await RawClient.ConnectAsync(broker, "rewriter");
        await publisher.PublishAsync("later/dp/rewritten", "x");
        await watcher.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(21));
        await watcher.ExpectPublishAsync("dp/rewritten", "x", Qos.AtLeastOnce);
    }

    [Fact]
    public async Task OperatorsSeeAndTakeOut_WhatWaits()
    {
        using var api = new ApiClient(broker);
        await using (var publisher = await RawClient.OpenAsync(broker))
        {
            await publisher.SendAsync(WirePacket.Connect("teller", userName: "me"));
            await publisher.ExpectAsync(PacketType.Connack);
            for (var i = 0; i < 25; i++) await publisher.PublishAsync($"$delayed/{4000 + i}/dp/api/{i}", $"payload {i}", i % 2 == 0 ? Qos.AtLeastOnce : Qos.ExactlyOnce, retain: i == 3);
        }

        await api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"$delayed/4000000/dp/api/http","payload":"from the API","qos":1}""");
        Assert.Equal(115, (await api.CallAsync("POST", "/mqtt/publish", """{"topic":"$delayed/x/dp","payload":"x"}""")).GetProperty("code").GetInt32());
        var listed = new List<JsonElement>();
        for (var (page, more) = (1, true); more; page++)
        {
            var answer = await api.CallAsync("GET", $"/mqtt/delayed/messages?_match_topic=dp/api/%2B&_limit=10&_page={page}");
            listed.AddRange(answer.GetProperty("data").EnumerateArray());
            more = answer.GetProperty("meta").GetProperty("hasnext").GetBoolean();
            Assert.True(page <= 3);
        }

        Assert.Equal(26, listed.Select(Id).Distinct().Count());
        var whole = (await api.CallAsync("GET", "/mqtt/delayed/messages?_limit=1")).GetProperty("meta");
        Assert.True(whole.GetProperty("count").GetInt64() >= 26 && whole.GetProperty("hasnext").GetBoolean());
        var one = Assert.Single((await api.SucceedAsync("GET", "/mqtt/delayed/messages?topic=dp/api/3")).EnumerateArray());
        Assert.Equal(
            ["delayed_interval", "delayed_remaining", "expected_at", "from_clientid", "from_username", "msgid", "node", "payload_bytes", "publish_at", "qos", "retain", "topic"],
            one.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("dp/api/3", 2, true, "teller", "me", 9, 4003), (one.GetProperty("topic").GetString(), one.GetProperty("qos").GetInt32(), one.GetProperty("retain").GetBoolean(),
            one.GetProperty("from_clientid").GetString(), one.GetProperty("from_username").GetString(), one.GetProperty("payload_bytes").GetInt32(), one.GetProperty("delayed_interval").GetInt32()));
        Assert.InRange(one.GetProperty("delayed_remaining").GetInt32(), 3900, 4003);

        var detail = await api.SucceedAsync("GET", $"/mqtt/delayed/messages/{Id(one)}");
        Assert.Equal("payload 3", System.Text.Encoding.UTF8.GetString(detail.GetProperty("payload").GetBytesFromBase64()));
        Assert.False(detail.GetProperty("payload_truncated").GetBoolean());
        await api.SucceedAsync("DELETE", $"/mqtt/delayed/messages/{Id(one)}");
        foreach (var (method, id) in new[] { ("GET", Id(one)), ("DELETE", Id(one)), ("GET", "nonsense"), ("DELETE", new string('F', 32)) })
        {
            var answer = await api.CallAsync(method, $"/mqtt/delayed/messages/{id}");
            Assert.Equal((112, "not_found"), (answer.GetProperty("code").GetInt32(), answer.GetProperty("message").GetString()));
        }

        Assert.Equal(108, (await api.CallAsync("GET", "/mqtt/delayed/messages?_match_topic=a/%23/b")).GetProperty("code").GetInt32());
        Assert.Empty((await api.SucceedAsync("GET", "/mqtt/delayed/messages?topic=dp/api/3")).EnumerateArray());
        var stats = (await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/stats"));
        Assert.Equal(whole.GetProperty("count").GetInt64() - 1, stats.GetProperty("delayed.count").GetInt64());
        Assert.True(stats.GetProperty("delayed.max").GetInt64() > stats.GetProperty("delayed.count").GetInt64());
        Assert.True((await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/metrics")).GetProperty("messages.delayed").GetInt64() >= 26);

        static string Id(JsonElement row) => row.GetProperty("msgid").GetString()!;
    }

    [Fact]
    public async Task TopicIsOneLikeAnyOther_WhileTheModuleIsOff_AndTheMountpointIsBeforeTheTopicBehind()
    {
        var asked = new Asked();
        await using var own = await BrokerHost.StartAsync(new() { ["Mqtt:Mountpoint"] = "m/" }, services => services.AddSingleton<IAuthorizer>(asked));
        using var api = new ApiClient(own);
        await using var watcher = await RawClient.ConnectAsync(own, "watcher");
        await watcher.SubscribeAsync("#", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(own, "publisher");
        await publisher.PublishAsync("$delayed/20/a", "off");
        await watcher.ExpectPublishAsync("$delayed/20/a", "off", Qos.AtLeastOnce); // behind its mountpoint it begins with no dollar
        await api.SucceedAsync("PUT", "/modules/emqx_mod_delayed/load");
        await publisher.PublishAsync("$delayed/20/a", "on"); // the same connection, the same topic
        Assert.Equal("m/a", Assert.Single((await api.SucceedAsync("GET", "/mqtt/delayed/messages")).EnumerateArray()).GetProperty("topic").GetString());
        var doomed = await RawClient.ConnectAsync(own, "doomed", will: new WireWill("$delayed/10/will", "dead", Qos.AtLeastOnce));
        doomed.Drop();
        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", "/mqtt/delayed/messages?topic=m/will")).GetArrayLength() == 1, "the will waits");
        Assert.DoesNotContain("a", asked.Topics);
        Assert.Equal(2, asked.Topics.Count(topic => topic.StartsWith("$delayed/", StringComparison.Ordinal)));

        await api.SucceedAsync("PUT", "/modules/emqx_mod_delayed/unload");
        await publisher.PublishAsync("$delayed/20/a", "off again");
        await watcher.ExpectPublishAsync("$delayed/20/a", "off again", Qos.AtLeastOnce);
        own.Advance(TimeSpan.FromSeconds(11)); // what waits still comes
        await watcher.ExpectPublishAsync("will", "dead", Qos.AtLeastOnce);
        own.Advance(TimeSpan.FromSeconds(10));
        await watcher.ExpectPublishAsync("a", "on", Qos.AtLeastOnce);
    }

    [Fact]
    public async Task WhatWaitsIsThereAfterwards_WhenTheBrokerStartsAgain()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Modules:Delayed"] = "true", ["Delayed:MaxMessages"] = "2" });
        await using (var away = await RawClient.ConnectAsync(own, "away", expiry: 10_000))
        {
            await away.SubscribeAsync("dp/#", Qos.ExactlyOnce);
            await away.PublishAsync("$delayed/10/dp/overdue", "1", Qos.ExactlyOnce);
            await away.PublishAsync("$delayed/1000/dp/later", "2");
            await RefusedAsync(away);
        }

        await using (var killed = await own.StartFromCopyAsync()) Assert.Equal(2, await CountAsync(killed)); // what a killed process would find
        await own.RestartAsync();
        Assert.Equal(2, await CountAsync(own));
        await using var back = await RawClient.ConnectAsync(own, "away", cleanStart: false, expiry: 10_000);
        await RefusedAsync(back);
        own.Advance(TimeSpan.FromSeconds(11));
        var first = await back.ExpectPublishAsync("dp/overdue", "1", Qos.ExactlyOnce);
        await back.SendAsync(WirePacket.Pubrec(first.Id));
        await back.ExpectAsync(PacketType.Pubrel);
        await back.SendAsync(WirePacket.Pubcomp(first.Id));
        await own.RestartAsync(); // overdue when it starts
        own.Advance(TimeSpan.FromSeconds(1000));
        await own.RestartAsync();
        await using var last = await RawClient.ConnectAsync(own, "away", cleanStart: false, expiry: 10_000);
        await last.ExpectPublishAsync("dp/later", "2", Qos.AtLeastOnce);
        await last.ExpectNothingAsync();

        static async Task RefusedAsync(RawClient client)
        {
            await client.SendAsync(WirePacket.Publish("$delayed/10/dp/more", "x", Qos.AtLeastOnce, 99));
            Assert.Equal((99, ReasonCode.QuotaExceeded), await client.ExpectAcknowledgementAsync(PacketType.Puback));
        }

        static async Task<int> CountAsync(BrokerHost host)
        {
            using var api = new ApiClient(host);
            return (await api.SucceedAsync("GET", "/mqtt/delayed/messages")).GetArrayLength();
        }
    }

    private async Task<RawClient> WatchAsync(params string[] filters)
    {
        var watcher = await RawClient.ConnectAsync(broker, $"watcher {Guid.NewGuid()}");
        foreach (var filter in filters) await watcher.SubscribeAsync(filter, Qos.ExactlyOnce);
        return watcher;
    }

    /// <summary>Allows everything, and remembers for what it was asked.</summary>
    private sealed class Asked : IAuthorizer
    {
        public string Name => "asked";

        public System.Collections.Concurrent.ConcurrentQueue<string> Topics { get; } = new();

        public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
        {
            if (access == TopicAccess.Publish) Topics.Enqueue(topic);
            return new(new AuthorizationResult(AuthorizationVerdict.Allow));
        }
    }
}
