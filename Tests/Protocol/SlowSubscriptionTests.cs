using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Who gets or acknowledges messages late.</summary>
public sealed class SlowSubscriptionTests
{
    [Fact]
    public async Task SlowClientIsFound_WhileTheModuleIsOn()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        using var api = new ApiClient(broker);
        Assert.Equal("module_not_loaded", Text(await api.CallAsync("GET", "/slow_subscriptions"), "message"));
        await using var slow = await RawClient.ConnectAsync(broker, "slow");
        await using var quick = await RawClient.ConnectAsync(broker, "quick");
        await slow.SubscribeAsync("s/#", Qos.ExactlyOnce);
        await quick.SubscribeAsync("s/#", Qos.AtLeastOnce);
        await AnswerLateAsync(slow, quick, broker, "s/off");
        await api.SucceedAsync("PUT", "/modules/emqx_mod_slow_subs/load");
        Assert.Empty(await ReadAsync(api));
        await AnswerLateAsync(slow, quick, broker, "s/on");
        var row = Assert.Single(await ReadAsync(api));
        Assert.Equal(["clientid", "last_update_time", "node", "timespan", "topic"], row.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal(("slow", "broker@127.0.0.1", "s/on"), (Text(row, "clientid"), Text(row, "node"), Text(row, "topic")));
        Assert.InRange(row.GetProperty("timespan").GetInt64(), 2000, 30_000);
        Assert.InRange(row.GetProperty("last_update_time").GetInt64(), broker.Clock.GetUtcNow().AddMinutes(-1).ToUnixTimeMilliseconds(), broker.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        broker.Advance(TimeSpan.FromMinutes(6));
        Assert.Empty(await ReadAsync(api)); // it has not happened again
        await AnswerLateAsync(slow, quick, broker, "s/again");
        Assert.Single(await ReadAsync(api));
        await api.SucceedAsync("DELETE", "/slow_subscriptions");
        Assert.Empty(await ReadAsync(api));
        await AnswerLateAsync(slow, quick, broker, "s/last");
        await api.SucceedAsync("PUT", "/modules/emqx_mod_slow_subs/unload");
        await api.SucceedAsync("PUT", "/modules/emqx_mod_slow_subs/load");
        Assert.Empty(await ReadAsync(api));
    }

    [Theory]
    [InlineData("whole", true)]
    [InlineData("response", true)]
    [InlineData("internal", false)]
    public async Task AnswerCounts_AsStatsSay(string stats, bool counts)
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Modules:SlowSubscriptions"] = "true", ["SlowSubscriptions:Stats"] = stats, ["SlowSubscriptions:Threshold"] = "00:00:01.5" });
        using var api = new ApiClient(broker);
        await using var slow = await RawClient.ConnectAsync(broker, "slow");
        await slow.SubscribeAsync("s/#", Qos.AtLeastOnce);
        await slow.PublishAsync("s/0", "x", Qos.AtMostOnce);
        await slow.ExpectPublishAsync("s/0", "x");
        await slow.SendAsync(WirePacket.Publish("s/1", "x", Qos.AtLeastOnce, 5));
        var id = await ExpectBothAsync(slow);
        broker.Advance(TimeSpan.FromSeconds(2));
        await slow.SendAsync(WirePacket.Puback(id));
        await slow.ExpectNothingAsync();
        Assert.Equal(counts ? ["s/1"] : [], (await ReadAsync(api)).Select(row => Text(row, "topic")));
    }

    [Fact]
    public async Task WaitForTheClientDoesNotCount_WhenItWasAway()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Modules:SlowSubscriptions"] = "true" });
        using var api = new ApiClient(broker);
        await using (var away = await RawClient.ConnectAsync(broker, "away", expiry: 600)) await away.SubscribeAsync("s/#", Qos.AtLeastOnce);
        await broker.SettleAsync();
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await publisher.PublishAsync("s/1", "x");
        broker.Advance(TimeSpan.FromMinutes(1));
        await using var back = await RawClient.ConnectAsync(broker, "away", cleanStart: false, expiry: 600);
        await back.SendAsync(WirePacket.Puback((await back.ExpectPublishAsync("s/1", "x", Qos.AtLeastOnce)).Id));
        await back.ExpectNothingAsync();
        Assert.Empty(await ReadAsync(api));
    }

    /// <summary>A message that one client acknowledges at once and the other two seconds later.</summary>
    private static async Task AnswerLateAsync(RawClient slow, RawClient quick, BrokerHost broker, string topic)
    {
        await quick.SendAsync(WirePacket.Publish(topic, "x", Qos.ExactlyOnce, 5));
        ServerPacket? message = null;
        for (var left = 2; left > 0; left--)
        {
            var packet = await quick.ReceiveAsync("PUBREC or PUBLISH");
            if (packet.Type == PacketType.Publish) message = packet;
        }

        await quick.SendAsync(WirePacket.Puback(message!.Id), WirePacket.Pubrel(5));
        await quick.ExpectAsync(PacketType.Pubcomp);
        var id = (await slow.ExpectPublishAsync(topic, "x", Qos.ExactlyOnce)).Id;
        await slow.SendAsync(WirePacket.Pubrec(id));
        await slow.ExpectAsync(PacketType.Pubrel);
        broker.Advance(TimeSpan.FromSeconds(2));
        await slow.SendAsync(WirePacket.Pubcomp(id));
        await slow.ExpectNothingAsync();
    }

    private static async Task<int> ExpectBothAsync(RawClient client)
    {
        var (first, second) = (await client.ReceiveAsync("PUBACK or PUBLISH"), await client.ReceiveAsync("PUBACK or PUBLISH"));
        return (first.Type == PacketType.Publish ? first : second).Id;
    }

    private static async Task<JsonElement[]> ReadAsync(ApiClient api) => [.. (await api.SucceedAsync("GET", "/slow_subscriptions")).EnumerateArray()];

    private static string Text(JsonElement row, string member) => row.GetProperty(member).GetString()!;
}
