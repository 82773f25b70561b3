using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Promise 1: kill -9 at any moment loses no acknowledged message of a durable session and duplicates none of QoS 2.</summary>
public class CrashTests
{
    private const int Kills = 8;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Clause("MQTT-4.3.2-1")]
    [Clause("MQTT-4.3.3-1")]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-4.6.0-1")]
    public async Task NothingIsLostDuplicatedOrReordered_WhenKilledAgainAndAgainUnderLoad(int seed)
    {
        // Seeded, so that a failure names its moments; what the broker was doing at each is up to it.
        var random = new Random(seed);
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Mqtt:MaxQueueLength", "0"));
        DurableClient[] publishers =
        [
            new(broker, "p1a", "crash/1/a", 1), new(broker, "p1b", "crash/1/b", 1),
            new(broker, "p2a", "crash/2/a", 2), new(broker, "p2b", "crash/2/b", 2),
        ];
        DurableClient[] subscribers = [new(broker, "s1"), new(broker, "s2"), new(broker, "all")];
        await DurableClient.SubscribeAsync(broker, "s1", "crash/1/#", 1);
        await DurableClient.SubscribeAsync(broker, "s2", "crash/2/#", 2);
        await DurableClient.SubscribeAsync(broker, "all", "crash/#", 2);

        using var stop = new CancellationTokenSource();
        var clients = publishers.Concat(subscribers).Select(client => Task.Run(() => client.RunAsync(stop.Token))).ToArray();
        for (var kill = 0; kill < Kills; kill++)
        {
            // By progress, not by the clock: each life does something, however slow the machine is.
            var enough = publishers.Sum(publisher => publisher.Acknowledged) + random.Next(1, 2000);
            await Phase.AwaitAsync(AcknowledgedAsync(publishers, enough), () => $"seed {seed}, life {kill}: {State(publishers, subscribers)}\n{broker.AllOutput}");
            await broker.KillAsync();
            await broker.StartAsync();
        }

        foreach (var publisher in publishers) publisher.StopPublishing();
        await Phase.AwaitAsync(Task.WhenAll(publishers.Select(publisher => publisher.Finished)), () => $"seed {seed}: {State(publishers, subscribers)}\n{broker.AllOutput}");
        await Phase.AwaitAsync(AllTakenAsync(subscribers, publishers), () => $"seed {seed}, all published: {State(publishers, subscribers)}\n{broker.AllOutput}");
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Phase.Limit);

        Check(subscribers[0], 1, publishers[..2]);
        Check(subscribers[1], 2, publishers[2..]);
        Check(subscribers[2], 1, publishers[..2]);
        Check(subscribers[2], 2, publishers[2..]);
        Assert.Empty(broker.Errors());
    }

    /// <summary>For each publisher: all its messages, in order by first appearance; QoS 2 exactly once.</summary>
    private static void Check(DurableClient subscriber, int qos, DurableClient[] publishers)
    {
        foreach (var publisher in publishers)
        {
            var topic = $"crash/{qos}/{publisher.ClientId[^1]}";
            var numbers = subscriber.Received.Where(taken => taken.Topic == topic).Select(taken => taken.Number).ToArray();
            Assert.Equal(publisher.Published, publisher.Acknowledged);
            var next = 1;
            var repeated = 0;
            foreach (var number in numbers)
            {
                Assert.True(number <= next, $"{subscriber.ClientId} misses {next} of {topic}: {number} came before it");
                if (number < next) repeated++;
                else next++;
            }

            Assert.True(next == publisher.Published + 1, $"{subscriber.ClientId} has {topic} up to {next - 1} of {publisher.Published}");
            if (qos == 2) Assert.Equal(0, repeated);
        }
    }

    private static async Task AcknowledgedAsync(DurableClient[] publishers, int count)
    {
        while (publishers.Sum(publisher => publisher.Acknowledged) < count) await Task.Delay(1);
    }

    private static async Task AllTakenAsync(DurableClient[] subscribers, DurableClient[] publishers)
    {
        while (!subscribers.All(subscriber => publishers.All(publisher => Owes(subscriber, publisher)))) await Task.Delay(50);

        static bool Owes(DurableClient subscriber, DurableClient publisher)
        {
            if (subscriber.ClientId != "all" && subscriber.ClientId[1] != publisher.ClientId[1]) return true;
            var topic = $"crash/{publisher.ClientId[1]}/{publisher.ClientId[2]}";
            return subscriber.Received.Any(taken => taken.Topic == topic && taken.Number == publisher.Published);
        }
    }

    private static string State(DurableClient[] publishers, DurableClient[] subscribers) =>
        string.Join("; ", publishers.Select(one => $"{one.ClientId} published {one.Published}, acknowledged {one.Acknowledged}, connects {one.Connects}"))
        + "; " + string.Join("; ", subscribers.Select(one => $"{one.ClientId} took {one.Received.Count}, connects {one.Connects}"));
}
