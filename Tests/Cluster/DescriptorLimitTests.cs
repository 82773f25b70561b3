using System.Net.Sockets;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Promise 6: more connections than the process has file descriptors for hurt those who come too late, nobody else.</summary>
[Collection(BrokerProcessCollection.Name)]
public class DescriptorLimitTests
{
    [Fact]
    public async Task ServesOn_WhenMoreConnectThanThereAreDescriptors()
    {
        await using var broker = new BrokerProcess { DescriptorLimit = 700 };
        await broker.StartAsync();
        var port = await broker.Ready;
        using var client = await WireClient.ConnectAsync(port, new ConnectOptions("c"));
        await client.SubscribeAsync("t", 2);
        var others = new List<TcpClient>();
        for (var i = 0; i < 1000; i++)
        {
            others.Add(new TcpClient());
            await others[i].ConnectAsync("127.0.0.1", port);
        }

        client.Publish("t", "1", qos: 2, identifier: 1);
        await client.FlushAsync();
        await client.ReadAsync(WirePacket.Pubrec);
        Assert.Equal("1", (await client.ReadAsync(WirePacket.Publish)).Payload);
        // The last one was closed by the broker, unanswered.
        Assert.Equal(0, await others[^1].GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        foreach (var other in others) other.Dispose();
        Assert.Equal(0, (await broker.TerminateAsync()).Code);
        Assert.Empty(broker.Errors());
    }
}
