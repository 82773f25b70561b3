using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster.Nodes;

/// <summary>A node that is cut off from the others and from the database, while its clients still reach it, takes responsibility for nothing.</summary>
[Collection(BrokerProcessCollection.Name)]
public class NetworkCutTests
{
    private const int Cut = 2;
    private const int Topics = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CutPatience = TimeSpan.FromMinutes(3);

    /// <summary>Messages that the node is given while it is cut off.</summary>
    private static readonly int[] Unacknowledged = [100, 200];

    [Fact]
    public async Task CutOffNodeAcknowledgesNothingAndEnds_OthersGoOn()
    {
        using var network = CutNetwork.CreateOrSkip();
        await using var server = await MariaDbServer.StartNewAsync("--bind-address=0.0.0.0");
        await BrokerCluster.RunAsync(network.Reachable(await server.CreateDatabaseAsync()), 0, async cluster =>
        {
            cluster.ExpectDeaths();
            cluster.Expect(" crit: Orleans");
            cluster.Expect("Store");
            await BrokerCluster.StartAsync(network.Outside(cluster.Add()), network.Outside(cluster.Add()), network.Inside(cluster.Add()));

            await DurableClient.SubscribeAsync(cluster[0], "away", "cut/#", 1);
            var away = new DurableClient([cluster[0], cluster[1]], "away") { Patience = Limit };
            using var stop = new CancellationTokenSource();
            var taking = away.RunAsync(stop.Token);
            var durable = new ConnectOptions("inside");
            using var inside = await cluster.ConnectAsync(Cut, durable with { Patience = CutPatience });
            await inside.SubscribeAsync("cut/#", 1);
            using var insider = await cluster.ConnectAsync(Cut, new ConnectOptions("insider") { CleanStart = true, Patience = CutPatience });
            using var outsider = await cluster.ConnectAsync(1, new ConnectOptions("outsider") { CleanStart = true, Patience = Limit });
            await PublishAsync(insider, 1);
            await PublishAsync(outsider, 2);
            await TakeAsync(inside, Wanted(1, 2));

            network.Cut();
            var clock = Stopwatch.StartNew();
            foreach (var number in Unacknowledged) Publish(insider, number, qos: number / 100);
            await insider.FlushAsync();
            var (answers, late) = (new ConcurrentQueue<WirePacket>(), new ConcurrentQueue<WirePacket>());
            var ending = Task.WhenAll(ReadAllAsync(insider, answers), ReadAllAsync(inside, late));
            await PublishAsync(outsider, 3);
            BrokerCluster.Say($"the others acknowledge {clock.Elapsed.TotalSeconds:F1} s after the cut");
            // Who comes back waits for the death of the node that has its session.
            using var now = await cluster.ConnectAsync(0, durable with { Patience = Limit });
            Assert.True(now.Connack.SessionPresent);
            BrokerCluster.Say($"the session is elsewhere {clock.Elapsed.TotalSeconds:F1} s after the cut");
            await TakeAsync(now, Wanted(3));
            await HasAsync(away, taking, Wanted(1, 2, 3));
            BrokerCluster.Say($"healed {clock.Elapsed.TotalSeconds:F1} s after the cut");
            Assert.Empty(answers);

            network.Heal();
            clock.Restart();
            Assert.NotEqual(0, await cluster[Cut].EndAsync());
            BrokerCluster.Say($"the node ends {clock.Elapsed.TotalSeconds:F1} s after that");
            await ending;
            // What it passed on to the others before it read that it is dead may be answered: then they have taken it.
            var taken = answers.Select(packet => ($"cut/{packet.Identifier % Topics}", packet.Identifier / Topics)).ToHashSet();
            await HasAsync(away, taking, taken);
            // Finding, open: between the heal and its end the node may give the old connection what its session has elsewhere by now.
            var numbers = late.Select(packet => int.Parse(packet.Payload, CultureInfo.InvariantCulture)).ToArray();
            Assert.Empty(numbers.Except([.. Unacknowledged, 3]));
            BrokerCluster.Say($"after the end of the cut it acknowledged {answers.Count}, and gave the old connection {numbers.Count(number => number == 3)} of {Topics} that its session has elsewhere");

            await PublishAsync(outsider, 4);
            await TakeAsync(now, [.. taken, .. Wanted(4)]);
            await BrokerCluster.StartAsync(cluster[Cut]);
            using var again = await cluster.ConnectAsync(Cut, new ConnectOptions("insider") { CleanStart = true });
            using var back = await cluster.ConnectAsync(Cut, durable);
            Assert.True(back.Connack.SessionPresent);
            await PublishAsync(again, 5);
            await TakeAsync(back, Wanted(5));
            await HasAsync(away, taking, Wanted(1, 2, 3, 4, 5));
            await stop.CancelAsync();
            await taking;
        });
    }

    /// <summary>A message to each of several topics, so that all nodes have their part in it.</summary>
    private static void Publish(WireClient publisher, int number, int qos)
    {
        for (var topic = 0; topic < Topics; topic++)
        {
            publisher.Publish($"cut/{topic}", number.ToString(CultureInfo.InvariantCulture), qos, (ushort)(number * Topics + topic));
        }
    }

    private static async Task PublishAsync(WireClient publisher, int number)
    {
        Publish(publisher, number, qos: 1);
        await publisher.FlushAsync();
        for (var topic = 0; topic < Topics; topic++) await publisher.ReadAsync(WirePacket.Puback);
    }

    /// <summary>These messages come; more may come that were not acknowledged to their publisher, or not to the broker.</summary>
    private static async Task TakeAsync(WireClient subscriber, HashSet<(string Topic, int Number)> missing)
    {
        while (missing.Count > 0)
        {
            var message = await subscriber.ReadAsync(WirePacket.Publish);
            missing.Remove((message.Topic, int.Parse(message.Payload, CultureInfo.InvariantCulture)));
            subscriber.Acknowledge(WirePacket.Puback, message.Identifier);
            await subscriber.FlushAsync();
        }

        await subscriber.PingAsync();
    }

    private static async Task HasAsync(DurableClient subscriber, Task taking, HashSet<(string Topic, int Number)> wanted)
    {
        for (var clock = Stopwatch.StartNew(); !wanted.IsSubsetOf(subscriber.Received.Select(one => (one.Topic, one.Number))); await Task.Delay(20))
        {
            if (taking.IsFaulted) await taking;
            if (clock.Elapsed > Limit) Assert.Fail($"{subscriber.ClientId} has only {string.Join(' ', subscriber.Received)}; {subscriber.LastFault}");
        }
    }

    private static HashSet<(string Topic, int Number)> Wanted(params int[] numbers) =>
        [.. numbers.SelectMany(number => Enumerable.Range(0, Topics).Select(topic => ($"cut/{topic}", number)))];

    /// <summary>Reads until the connection ends.</summary>
    private static async Task ReadAllAsync(WireClient client, ConcurrentQueue<WirePacket> packets)
    {
        while (await client.ReadAsync() is { } packet && packet.Type != WirePacket.Disconnect) packets.Enqueue(packet);
    }
}
