using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>The broker's own users belong to the cluster.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeUserTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public Task UsersOfOneNodeAreKnownToAll_WhoeverDies() => BrokerCluster.RunAsync(
        3,
        async cluster =>
        {
            cluster.ExpectDeaths();
            await StartWithAsync(cluster, "early");
            await KnownAsync(cluster, [0, 1, 2, 3], ["early"]);

            // One of the three owns the records: each dies once.
            for (var node = 0; node < 3; node++)
            {
                await cluster[node].KillAsync();
                var added = await StartWithAsync(cluster, $"after{node}");
                await KnownAsync(cluster, [added, 3], ["early", $"after{node}"]);
                await BrokerCluster.StartAsync(cluster[node]);
                await KnownAsync(cluster, [node], ["early", $"after{node}"]);
            }

            await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
            await BrokerCluster.StartAsync(cluster[1]);
            await KnownAsync(cluster, [1], ["early", "after0", "after1", "after2"]);
        },
        ("Security:AllowAnonymous", "false"));

    /// <summary>A node whose configuration brings a user: once it is ready every node knows the user, and is not asked twice.</summary>
    private static async Task<int> StartWithAsync(BrokerCluster cluster, string name)
    {
        var node = cluster.Add(("Security:BuiltIn:Users:0:UserName", name), ("Security:BuiltIn:Users:0:Password", "right"));
        await BrokerCluster.StartAsync(node);
        return cluster.Nodes.Count - 1;
    }

    private static async Task KnownAsync(BrokerCluster cluster, int[] nodes, string[] names)
    {
        foreach (var node in nodes)
        {
            foreach (var name in names)
            {
                Assert.Equal(0, await CodeAsync(cluster, node, name, "right"));
                Assert.Equal(0x86, await CodeAsync(cluster, node, name, "wrong"));
            }

            Assert.Equal(0x87, await CodeAsync(cluster, node, "nobody", "right"));
        }
    }

    private static async Task<int> CodeAsync(BrokerCluster cluster, int node, string name, string password)
    {
        var options = new ConnectOptions($"{name}-{password}") { IsV5 = true, CleanStart = true, User = (name, password), Patience = Limit };
        using var client = await WireClient.OpenAsync(await cluster[node].Ready, options);
        return client.Connack.Code;
    }
}
