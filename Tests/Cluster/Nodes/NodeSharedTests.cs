using System.Globalization;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>A shared subscription with members on several nodes.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NodeSharedTests
{
    private const int Messages = 200;

    [Fact]
    [Clause("MQTT-4.8.2-4")]
    public Task OtherMembersGetAllFurtherMessages_WhenTheNodeOfOneIsKilled() => BrokerCluster.RunAsync(3, async cluster =>
    {
        cluster.ExpectDeaths();
        var members = new List<WireClient>();
        for (var node = 0; node < 3; node++)
        {
            var member = await cluster.ConnectAsync(node, new ConnectOptions($"m{node}") { CleanStart = true });
            await member.SubscribeAsync("$share/group/shared/#", 1);
            members.Add(member);
        }

        using var publisher = await cluster.ConnectAsync(0, new ConnectOptions("p") { CleanStart = true });
        var readers = members.Select(member => Task.Run(() => ReadAllAsync(member))).ToArray();
        await PublishAsync(publisher, 1, Messages);
        await cluster[2].KillAsync();
        // At once: these wait for what becomes of the dead member, and are acknowledged when another one has them.
        await PublishAsync(publisher, Messages + 1, 3 * Messages);
        publisher.Publish("shared/end", "0", 1, 1);
        await publisher.FlushAsync();
        await publisher.ReadAsync(WirePacket.Puback);
        await publisher.PingAsync();

        var limit = Task.Delay(TimeSpan.FromSeconds(30));
        while (Missing().Length > 0 && !limit.IsCompleted) await Task.Delay(20);
        Assert.Empty(Missing());
        foreach (var member in members) member.Dispose();
        await Task.WhenAll(readers);

        int[] Missing()
        {
            lock (taken) return [.. Enumerable.Range(Messages + 1, 2 * Messages).Where(number => !taken.Contains(number))];
        }
    });

    private readonly HashSet<int> taken = [];

    private async Task ReadAllAsync(WireClient member)
    {
        try
        {
            while (await member.ReadAsync() is { } packet)
            {
                if (packet.Type != WirePacket.Publish) continue;
                if (packet.Qos > 0) member.Acknowledge(WirePacket.Puback, packet.Identifier);
                await member.FlushAsync();
                lock (taken) taken.Add(int.Parse(packet.Payload, CultureInfo.InvariantCulture));
            }
        }
        catch (IOException)
        {
            // Its node was killed.
        }
    }

    private static async Task PublishAsync(WireClient publisher, int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            publisher.Publish($"shared/{number % 7}", number.ToString(CultureInfo.InvariantCulture), 1, (ushort)number);
            await publisher.FlushAsync();
            await publisher.ReadAsync(WirePacket.Puback);
        }
    }
}
