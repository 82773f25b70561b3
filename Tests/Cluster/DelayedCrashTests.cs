using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Promise 1 for messages that wait: kill -9 loses no acknowledged one, and duplicates none of QoS 2.</summary>
public class DelayedCrashTests
{
    private const int Kills = 3;

    [Fact]
    [Clause("MQTT-4.3.2-1")]
    [Clause("MQTT-4.3.3-1")]
    public async Task NothingIsLostOrDuplicated_WhenKilledAgainAndAgainUnderLoad()
    {
        var random = new Random(3); // what the broker was doing at each moment is up to it
        await using var broker = await BrokerProcess.StartNewAsync(settings: [("Mqtt:MaxQueueLength", "0"), ("Modules:Delayed", "true")]);
        DurableClient[] publishers =
        [
            new(broker, "p1a", "$delayed/1/dly/1/a", 1), new(broker, "p1b", "$delayed/0/dly/1/b", 1),
            new(broker, "p2a", "$delayed/1/dly/2/a", 2), new(broker, "p2b", "$delayed/2/dly/2/b", 2),
        ];
        var subscriber = new DurableClient(broker, "all");
        await DurableClient.SubscribeAsync(broker, "all", "dly/#", 2);
        using var stop = new CancellationTokenSource();
        var clients = publishers.Append(subscriber).Select(client => Task.Run(() => client.RunAsync(stop.Token))).ToArray();
        for (var kill = 0; kill < Kills; kill++)
        {
            // By progress of both, so that there is a kill while messages are stored and while they are published.
            var (acknowledged, received) = (publishers.Sum(one => one.Acknowledged) + random.Next(1, 2000), subscriber.Received.Count + random.Next(1, 1000));
            await Phase.AwaitAsync(UntilAsync(() => publishers.Sum(one => one.Acknowledged) >= acknowledged && subscriber.Received.Count >= received), () => $"life {kill}: {State()}");
            await broker.KillAsync();
            await broker.StartAsync();
        }

        foreach (var publisher in publishers) publisher.StopPublishing();
        await Phase.AwaitAsync(Task.WhenAll(publishers.Select(publisher => publisher.Finished)), State);
        await Phase.AwaitAsync(UntilAsync(() => publishers.All(one => Numbers(one).Distinct().Count() >= one.Published)), State);
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Phase.Limit);
        foreach (var publisher in publishers)
        {
            Assert.Equal(publisher.Published, publisher.Acknowledged);
            var numbers = Numbers(publisher).ToArray();
            Assert.Equal(Enumerable.Range(1, publisher.Published), numbers.Distinct().Order());
            if (publisher.Qos == 2) Assert.Equal(publisher.Published, numbers.Length);
        }

        Assert.Empty(broker.Errors());

        IEnumerable<int> Numbers(DurableClient publisher) => subscriber.Received.Where(taken => publisher.Topic!.EndsWith(taken.Topic, StringComparison.Ordinal)).Select(taken => taken.Number);
        string State() => string.Join("; ", publishers.Select(one => $"{one.ClientId} published {one.Published}, acknowledged {one.Acknowledged}, arrived {Numbers(one).Distinct().Count()}"))
            + $"\n{broker.AllOutput}";
    }

    private static async Task UntilAsync(Func<bool> reached)
    {
        while (!reached()) await Task.Delay(5);
    }
}
