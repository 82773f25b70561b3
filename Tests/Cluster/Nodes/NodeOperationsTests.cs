using System.Diagnostics;
using System.IO.Compression;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Admin;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Traces, retained messages, exclusive subscriptions and slow clients where there are two nodes, and where one of them dies.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeOperationsTests
{
    private const int Rounds = 60;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(40);

    [Fact]
    public Task ClusterAnswersAsOne_AndFreesWhatTheDeadHeld() => BrokerCluster.RunAsync(
        2,
        async cluster =>
        {
            using var api = new ApiClient(cluster[0].AdminPort);
            await TraceIsGatheredAsync(cluster, api);
            await RetainedAreListedAndDeletedAsync(cluster, api);
            await OneHoldsAsync(cluster);
            await SlowAreMergedAsync(cluster, api);
            await HolderDiesAsync(cluster, api);
        },
        ("Mqtt:ExclusiveSubscription", "true"), ("Modules:SlowSubscriptions", "true"), ("SlowSubscriptions:Threshold", "00:00:00.001"));

    private static async Task TraceIsGatheredAsync(BrokerCluster cluster, ApiClient api)
    {
        await api.SucceedAsync("POST", "/trace", """{"name":"both","type":"topic","topic":"traced/#"}""");
        for (var node = 0; node < 2; node++)
        {
            using var client = await cluster.ConnectAsync(node, new ConnectOptions($"tracer-{node}") { CleanStart = true });
            client.Publish($"traced/{node}", "x", 1, 1);
            await client.FlushAsync();
            await client.ReadAsync(WirePacket.Puback);
        }

        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            using var zip = new ZipArchive(new MemoryStream(await api.DownloadAsync("/trace/both/download")));
            var files = zip.Entries.ToDictionary(entry => entry.FullName, Read);
            Assert.Equal(["node0@127.0.0.1-trace_both.log", "node1@127.0.0.1-trace_both.log"], files.Keys.Order());
            if (Enumerable.Range(0, 2).All(node => files[$"node{node}@127.0.0.1-trace_both.log"].Contains($" tracer-{node}@127.0.0.1", StringComparison.Ordinal))) break;
            Assert.True(clock.Elapsed < Deadline, string.Join('\n', files.Values));
        }

        var sizes = (await api.SucceedAsync("GET", "/trace"))[0].GetProperty("log_size");
        Assert.All(Enumerable.Range(0, 2), node => Assert.True(sizes.GetProperty($"node{node}@127.0.0.1").GetInt64() > 0));
        using var other = new ApiClient(cluster[1].AdminPort);
        Assert.Contains("tracer-0@", (await other.CallAsync("GET", "/trace/both/log?node=node0@127.0.0.1&bytes=100000")).GetProperty("data").GetProperty("items").GetString(), StringComparison.Ordinal);
        await other.SucceedAsync("DELETE", "/trace/both");
        Assert.Equal(0, (await api.SucceedAsync("GET", "/trace")).GetArrayLength());
    }

    private static async Task RetainedAreListedAndDeletedAsync(BrokerCluster cluster, ApiClient api)
    {
        using var client = await cluster.ConnectAsync(1, new ConnectOptions("keeper") { CleanStart = true });
        for (ushort number = 1; number <= 200; number++) client.Publish($"kept/{number}", "x", 1, number, retain: true);
        await client.FlushAsync();
        for (var number = 1; number <= 200; number++) await client.ReadAsync(WirePacket.Puback);
        var seen = new List<string>();
        for (var page = 1; page <= 5; page++)
        {
            var answer = await api.CallAsync("GET", $"/mqtt/retainer/messages?_page={page}&_limit=45");
            Assert.Equal((200, page < 5), (answer.GetProperty("meta").GetProperty("count").GetInt32(), answer.GetProperty("meta").GetProperty("hasnext").GetBoolean()));
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("topic").GetString()!));
        }

        Assert.Equal(Enumerable.Range(1, 200).Select(number => $"kept/{number}").Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        foreach (var number in new[] { 1, 2, 3, 4 }) await api.SucceedAsync("DELETE", $"/mqtt/retainer/message/kept%2F{number}"); // some of them on the other node
        Assert.Equal(196, (await api.SucceedAsync("DELETE", "/mqtt/retainer/messages")).GetProperty("deleted").GetInt32());
        Assert.Equal(0, (await api.SucceedAsync("GET", "/mqtt/retainer")).GetProperty("count").GetInt32());
    }

    /// <summary>Two clients on two nodes ask for the same filter at the same moment, again and again: one gets it, and what is published.</summary>
    private static async Task OneHoldsAsync(BrokerCluster cluster)
    {
        using var first = await cluster.ConnectAsync(0, new ConnectOptions("first") { CleanStart = true });
        using var second = await cluster.ConnectAsync(1, new ConnectOptions("second")); // durable
        using var publisher = await cluster.ConnectAsync(1, new ConnectOptions("p") { CleanStart = true });
        var wins = 0;
        for (var round = 0; round < Rounds; round++)
        {
            // The same filter, ever new ones, and ones that live in every shard.
            var filter = (round % 3) switch { 0 => "$exclusive/same/one", 1 => $"$exclusive/new/{round}", _ => $"$exclusive/+/{round}" };
            var topic = (round % 3) switch { 0 => "same/one", 1 => $"new/{round}", _ => $"any/{round}" };
            var codes = await Task.WhenAll(TryAsync(first, filter), TryAsync(second, filter));
            Assert.Equal([0, 0x80], codes.Order());
            var winner = codes[0] == 0 ? first : second;
            wins += codes[0] == 0 ? 1 : 0;
            publisher.Publish(topic, $"{round}");
            await publisher.FlushAsync();
            Assert.Equal($"{round}", (await winner.ReadAsync(WirePacket.Publish)).Payload);
            await winner.UnsubscribeAsync(filter);
        }

        await first.PingAsync();
        await second.PingAsync();
        Assert.DoesNotContain(first.Aside.Concat(second.Aside), packet => packet.Type == WirePacket.Publish);
        BrokerCluster.Say($"the first node's client had {wins} of {Rounds} exclusive subscriptions");
    }

    /// <summary>Both clients answer, again and again, until it has once taken each of them the millisecond that is slow here.</summary>
    private static async Task SlowAreMergedAsync(BrokerCluster cluster, ApiClient api)
    {
        using var first = await cluster.ConnectAsync(0, new ConnectOptions("slow-0") { CleanStart = true });
        using var second = await cluster.ConnectAsync(1, new ConnectOptions("slow-1") { CleanStart = true });
        using var publisher = await cluster.ConnectAsync(1, new ConnectOptions("p") { CleanStart = true });
        WireClient[] slow = [first, second];
        foreach (var one in slow) await one.SubscribeAsync("slow/#", 1);
        string[] found = [];
        for (var clock = Stopwatch.StartNew(); found.Length < 2; Assert.True(clock.Elapsed < Deadline, string.Join(", ", found)))
        {
            publisher.Publish("slow/1", "x", 1, 1);
            await publisher.FlushAsync();
            foreach (var one in slow)
            {
                one.Acknowledge(WirePacket.Puback, (await one.ReadAsync(WirePacket.Publish)).Identifier);
                await one.PingAsync();
            }

            await publisher.ReadAsync(WirePacket.Puback);
            var rows = (await api.SucceedAsync("GET", "/slow_subscriptions")).EnumerateArray().Where(row => row.GetProperty("topic").GetString() == "slow/1");
            found = [.. rows.Select(row => $"{row.GetProperty("clientid").GetString()} {row.GetProperty("node").GetString()}").Order()];
        }

        Assert.Equal(["slow-0 node0@127.0.0.1", "slow-1 node1@127.0.0.1"], found);
        await api.SucceedAsync("DELETE", "/slow_subscriptions");
        Assert.Equal(0, (await api.SucceedAsync("GET", "/slow_subscriptions")).GetArrayLength());
    }

    /// <summary>A node dies: what its transient sessions held is free, what a durable one holds waits for it.</summary>
    private static async Task HolderDiesAsync(BrokerCluster cluster, ApiClient api)
    {
        cluster.ExpectDeaths();
        string[] free = ["$exclusive/dead/1", "$exclusive/dead/2", "$exclusive/+/dead"];
        string[] kept = ["$exclusive/stays/1", "$exclusive/stays/2", "$exclusive/+/stays"];
        using var transient = await cluster.ConnectAsync(1, new ConnectOptions("transient") { CleanStart = true });
        foreach (var filter in free) await transient.SubscribeAsync(filter, 1);
        using (var durable = await cluster.ConnectAsync(1, new ConnectOptions("durable")))
        {
            foreach (var filter in kept) await durable.SubscribeAsync(filter, 1);
        }

        using var other = await cluster.ConnectAsync(0, new ConnectOptions("other") { CleanStart = true });
        foreach (var filter in free.Concat(kept)) Assert.Equal(0x80, await TryAsync(other, filter));
        await cluster[1].KillAsync();
        var clock = Stopwatch.StartNew();
        foreach (var filter in free)
        {
            while (await TryAsync(other, filter) != 0)
            {
                Assert.True(clock.Elapsed < Deadline, $"{filter} is not free {clock.Elapsed} after its holder's death");
                await Task.Delay(50);
            }
        }

        BrokerCluster.Say($"free {clock.Elapsed.TotalSeconds:F1} s after the kill");
        foreach (var filter in kept) Assert.Equal(0x80, await TryAsync(other, filter));
        other.Publish("stays/1", "kept", 1, 1);
        await other.FlushAsync();
        await other.ReadAsync(WirePacket.Puback);
        using var back = await cluster.ConnectAsync(0, new ConnectOptions("durable"));
        Assert.Equal("kept", (await back.ReadAsync(WirePacket.Publish)).Payload);
        Assert.Equal(3, (await api.SucceedAsync("GET", "/subscriptions/durable")).GetArrayLength());
    }

    private static async Task<int> TryAsync(WireClient client, string filter)
    {
        client.Subscribe(filter, 0);
        await client.FlushAsync();
        return (await client.ReadAsync(WirePacket.Suback)).Body[^1];
    }

    private static string Read(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        return reader.ReadToEnd();
    }
}
