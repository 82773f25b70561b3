using Broker.Gateway.Mqtt.Packets;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

public sealed class SysTopicTests
{
    private const string Node = "$SYS/brokers/here@10.0.0.1/";

    [Fact]
    public async Task PublishesTheTree_OnEveryInterval()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["Mqtt:SysInterval"] = "00:00:00.2", ["Mqtt:SysHeartbeat"] = "00:00:01", ["Gateway:NodeName"] = "here@10.0.0.1",
        });
        await using var client = await RawClient.ConnectAsync(broker, "sys");
        await client.SubscribeAsync("#"); // sees nothing of it [MQTT-4.7.2-1]
        await client.SubscribeAsync("+/brokers");
        await client.SubscribeAsync("$SYS/#");
        var wanted = new HashSet<string>
        {
            "$SYS/brokers", Node + "version", Node + "sysdescr", Node + "uptime", Node + "datetime", Node + "metrics/packets/connect/received",
            Node + "metrics/bytes/received", Node + "metrics/messages/dropped", Node + "stats/connections.count", Node + "stats/connections/count",
        };
        var retained = new HashSet<string>();
        while (wanted.Count > 0)
        {
            var got = await client.ExpectAsync(PacketType.Publish);
            Assert.StartsWith("$SYS/brokers", got.Topic, StringComparison.Ordinal);
            if (got.Retain) retained.Add(got.Topic);
            if (!wanted.Remove(got.Topic)) continue;
            if (got.Topic == "$SYS/brokers") Assert.Equal("here@10.0.0.1", got.Text);
            else if (got.Topic.EndsWith("uptime", StringComparison.Ordinal)) Assert.EndsWith("seconds", got.Text, StringComparison.Ordinal);
            else if (got.Topic.EndsWith("datetime", StringComparison.Ordinal)) Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", got.Text);
            else if (got.Topic.Contains("/stats/", StringComparison.Ordinal) || got.Topic.Contains("/metrics/", StringComparison.Ordinal)) Assert.Matches(@"^\d+$", got.Text);
            else Assert.NotEqual("", got.Text);
        }

        Assert.Subset(new HashSet<string> { "$SYS/brokers", Node + "version", Node + "sysdescr" }, retained);
        Assert.NotEmpty(retained);
    }

    [Fact]
    public async Task SysmonComplains_WhenSomethingTakesTooLong()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["SysMon:LongGc"] = "00:00:00.0000001", ["SysMon:LongSchedule"] = "00:00:00.0000001", ["Mqtt:SysInterval"] = "01:00:00" });
        await using var client = await RawClient.ConnectAsync(broker, "sysmon");
        await client.SubscribeAsync("$SYS/brokers/+/sysmon/#");
        GC.Collect();
        var wanted = new HashSet<string> { "long_gc", "long_schedule" };
        while (wanted.Count > 0)
        {
            var got = await client.ExpectAsync(PacketType.Publish);
            wanted.Remove(got.Topic.Split('/')[^1]);
            Assert.Matches(@"for \d+\.\d ms$", got.Text);
        }
    }

    [Fact]
    public async Task KeepsSysAway_WhenFilterBeginsWithWildcard()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Mqtt:SysInterval"] = "00:00:00.05" });
        await using var reader = await RawClient.ConnectAsync(broker, "reader");
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.SubscribeAsync("#");
        await client.SubscribeAsync("+/brokers/#");
        await client.SubscribeAsync("$share/g/#");
        await reader.SubscribeAsync("$SYS/brokers/+/version");
        for (var i = 0; i < 3; i++) await reader.ExpectAsync(PacketType.Publish);
        await client.ExpectNothingAsync();
    }
}
