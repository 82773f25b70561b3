using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>Nodes leave and join in order, under load.</summary>
[Collection(BrokerProcessCollection.Name)]
public partial class RollingTests
{
    private const int ServerShuttingDown = 0x8B;
    private const int UseAnotherServer = 0x9C;

    [Theory]
    [InlineData("", ServerShuttingDown, 3)]
    [InlineData("balancer:1883", UseAnotherServer, 1)]
    [Clause("MQTT-4.13.1-1")]
    public Task NothingIsLost_WhenNodesAreRestartedOneByOne(string reference, int code, int nodes) => BrokerCluster.RunAsync(
        3,
        async cluster =>
        {
            cluster.ExpectDepartures();
            await using var load = await DurableLoad.StartAsync(cluster);
            await load.ProgressAsync(50);
            for (var node = 0; node < nodes; node++)
            {
                using var watcher = await cluster.ConnectAsync(node, new ConnectOptions($"w{node}") { IsV5 = true, CleanStart = true });
                var told = watcher.ReadAsync(WirePacket.Disconnect);
                var (exit, took) = await cluster[node].TerminateAsync();
                Assert.Equal(0, exit);
                Assert.Equal(code, (await told).Code);
                var without = await load.ProgressAsync(20);
                var back = await BrokerCluster.StartAsync(cluster[node]);
                await load.ProgressAsync(20);
                BrokerCluster.Say($"stopped in {took.TotalSeconds:F1} s, full service {without.TotalSeconds:F1} s later, back in {back.TotalSeconds:F1} s");
            }

            await load.FinishAsync();
        },
        ("Gateway:ServerReference", reference));

    [Fact]
    public Task ShardsAreSpreadAndNothingIsLost_WhenScaledOutAndIn() => BrokerCluster.RunAsync(1, async cluster =>
    {
        cluster.ExpectDepartures();
        BrokerProcess[] added = [cluster.Add(), cluster.Add()];
        await using var load = await DurableLoad.StartAsync(cluster);
        await load.ProgressAsync(50);
        var clock = Stopwatch.StartNew();
        await BrokerCluster.StartAsync(added);
        // The last word of whoever moves them: all 48 partitions of the three kinds have a place, within one of even.
        await SpreadAsync(cluster);
        BrokerCluster.Say($"spread over three {clock.Elapsed.TotalSeconds:F1} s after two were started");
        await load.ProgressAsync(50);
        foreach (var node in added)
        {
            Assert.Equal(0, (await node.TerminateAsync()).Code);
            await load.ProgressAsync(50);
        }

        await load.FinishAsync();
    });

    private static async Task SpreadAsync(BrokerCluster cluster)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Phase.Limit; await Task.Delay(50))
        {
            var silos = cluster.Nodes.SelectMany(node => node.Output).Select(line => SpreadLine().Match(line)).Where(match => match.Success)
                .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
            if (silos.Contains(3)) return;
        }

        Assert.Fail($"Nothing is spread over three silos after {Phase.Limit}");
    }

    [GeneratedRegex(@"partitions move, to be spread evenly over (\d+) silos")]
    private static partial Regex SpreadLine();
}
