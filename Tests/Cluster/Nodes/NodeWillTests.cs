using System.Diagnostics;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Promise 5: the wills of a dead node's clients are published, each once.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeWillTests
{
    private const int Killed = 1;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [Fact]
    [Clause("MQTT-3.1.2-8")]
    public Task WillsComeOnceEachWithinFifteenSeconds_WhenTheirNodeIsKilled() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        using var watcher = await cluster.ConnectAsync(0, new ConnectOptions("watcher") { CleanStart = true });
        await watcher.SubscribeAsync("will/#", 1);
        var transient = new ConnectOptions("") { IsV5 = true, CleanStart = true };
        var durable = new ConnectOptions("") { IsV5 = true, SessionExpiry = 600 };
        List<ConnectOptions> doomed = [];
        for (var one = 0; one < 5; one++)
        {
            doomed.Add(transient with { ClientId = $"t{one}", Will = ($"will/transient/{one}", "x") });
            // Its session ends with its connection, and its delay with its session.
            doomed.Add(transient with { ClientId = $"td{one}", Will = ($"will/transient-delayed/{one}", "x"), WillDelay = 60 });
            doomed.Add(durable with { ClientId = $"d{one}", Will = ($"will/durable/{one}", "x") });
            doomed.Add(durable with { ClientId = $"dd{one}", Will = ($"will/durable-delayed/{one}", "x"), WillDelay = 3 });
        }

        var spared = durable with { ClientId = "spared", Will = ("will/spared", "x"), WillDelay = 8 };
        var clients = await Task.WhenAll(doomed.Append(spared).Select(options => cluster.ConnectAsync(Killed, options)));
        using var elsewhere = await cluster.ConnectAsync(2, transient with { ClientId = "elsewhere", Will = ("will/elsewhere", "x") });

        await cluster[Killed].KillAsync();
        var clock = Stopwatch.StartNew();
        foreach (var client in clients) client.Dispose();
        // Who is back before its delay has passed keeps its will. [MQTT-3.1.3-9]
        using var back = await cluster.ConnectAsync(2, spared with { Will = null });
        Assert.True(back.Connack.SessionPresent);

        var wills = new List<string>();
        while (wills.Count < doomed.Count)
        {
            var will = await watcher.ReadAsync(WirePacket.Publish);
            if (will.Qos > 0) watcher.Acknowledge(WirePacket.Puback, will.Identifier);
            await watcher.FlushAsync();
            wills.Add(will.Topic);
        }

        BrokerCluster.Say($"{wills.Count} wills {clock.Elapsed.TotalSeconds:F1} s after the kill");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Limit);
        // What has come twice, or should not have come, is there when a later message of the same topics is; a node that buries twice does so when it wakes.
        await Task.Delay(TimeSpan.FromSeconds(9) - clock.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.FromSeconds(1));
        using var last = await cluster.ConnectAsync(2, transient with { ClientId = "last" });
        last.Publish("will/last", "x", 1, 1);
        await last.FlushAsync();
        for (var topic = ""; topic != "will/last"; wills.Add(topic)) topic = (await watcher.ReadAsync(WirePacket.Publish)).Topic;
        Assert.Equal(doomed.Select(one => one.Will!.Value.Topic).Append("will/last").Order(), wills.Order());
    });
}
