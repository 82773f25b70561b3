using System.Globalization;
using Broker.Gateway.Mqtt.Packets;

namespace Broker.Tests.Protocol.Harness;

/// <summary>A client that reads the broker's statistics as an operator does, from `$SYS/brokers/…/stats/`.</summary>
/// <remarks>It is itself one connection, one session and one subscription to one topic.</remarks>
internal sealed class StatsWatcher : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);
    private readonly RawClient client;
    private readonly Dictionary<string, long> seen = [];

    private StatsWatcher(RawClient client) => this.client = client;

    public static async Task<StatsWatcher> StartAsync(BrokerHost broker)
    {
        var client = await RawClient.ConnectAsync(broker, "stats-watcher");
        await client.SubscribeAsync("$SYS/brokers/+/stats/+");
        return new StatsWatcher(client);
    }

    /// <summary>Reads on until all of these have been published and are what was published last.</summary>
    /// <param name="expected">Names such as `connections.count`, and their values.</param>
    public async Task ExpectAsync(params (string Name, long Value)[] expected)
    {
        seen.Clear();
        var started = TimeProvider.System.GetTimestamp();
        while (!expected.All(stat => seen.TryGetValue(stat.Name, out var value) && value == stat.Value))
        {
            if (TimeProvider.System.GetElapsedTime(started) > Deadline)
            {
                var text = string.Join(", ", expected.Select(stat => $"{stat.Name} = {stat.Value} (seen {seen.GetValueOrDefault(stat.Name, -1)})"));
                throw new TimeoutException($"Expected within {Deadline.TotalSeconds} s: {text}.");
            }

            var packet = await client.ExpectAsync(PacketType.Publish);
            seen[packet.Topic[(packet.Topic.LastIndexOf('/') + 1)..]] = long.Parse(packet.Text, CultureInfo.InvariantCulture);
        }
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
