using System.Diagnostics;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Durable publishers and subscribers of QoS 1 and 2 at all nodes of a cluster, and the count of what they took: nothing acknowledged lost, order
/// kept for each topic, no QoS 2 message twice.</summary>
internal sealed class DurableLoad : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Some hundred messages a second, so that the processors are not what is tested.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource stop = new();
    private readonly DurableClient[] publishers;
    private readonly DurableClient[] subscribers;
    private Task[] running = [];

    private DurableLoad(DurableClient[] publishers, DurableClient[] subscribers) => (this.publishers, this.subscribers) = (publishers, subscribers);

    /// <summary>All clients.</summary>
    public IEnumerable<DurableClient> Clients => publishers.Concat(subscribers);

    public IReadOnlyList<DurableClient> Subscribers => subscribers;

    /// <summary>Messages acknowledged to all publishers together.</summary>
    public int Acknowledged => publishers.Sum(publisher => publisher.Acknowledged);

    /// <summary>Subscribes, then starts all clients: two publishers for each QoS, a subscriber for each QoS and one for both, spread over the nodes.</summary>
    /// <param name="patience">How long a client waits for a silent node; 5 s if nothing is said.</param>
    /// <param name="listening">The nodes that take clients; all if nothing is said.</param>
    public static async Task<DurableLoad> StartAsync(BrokerCluster cluster, TimeSpan? patience = null, BrokerProcess[]? listening = null)
    {
        var (nodes, wait) = (listening ?? [.. cluster.Nodes], patience ?? TimeSpan.FromSeconds(5));
        DurableClient Client(string id, int home, string? topic = null, int qos = 0) =>
            new(nodes, id, topic, qos) { Home = home % nodes.Length, Patience = wait, Pace = topic is null ? TimeSpan.Zero : Pace };
        var load = new DurableLoad(
            [Client("p1a", 0, "load/1/a", 1), Client("p1b", 1, "load/1/b", 1), Client("p2a", 1, "load/2/a", 2), Client("p2b", 2, "load/2/b", 2)],
            [Client("s1", 2), Client("s2", 0), Client("all", 1)]);
        await DurableClient.SubscribeAsync(nodes[0], "s1", "load/1/#", 1);
        await DurableClient.SubscribeAsync(nodes[0], "s2", "load/2/#", 2);
        await DurableClient.SubscribeAsync(nodes[0], "all", "load/#", 2);
        load.running = [.. load.Clients.Select(client => Task.Run(() => client.RunAsync(load.stop.Token)))];
        return load;
    }

    /// <summary>Waits until every publisher got so many more acknowledgements, and every subscriber that many of each publisher's further messages.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> ProgressAsync(int count)
    {
        var clock = Stopwatch.StartNew();
        var goals = publishers.Select(publisher => publisher.Acknowledged + count).ToArray();
        var numbers = publishers.Select(publisher => publisher.Published + count).ToArray();
        await UntilAsync(
            () => publishers.Zip(goals).All(pair => pair.First.Acknowledged >= pair.Second)
                && subscribers.All(subscriber => publishers.Zip(numbers).All(pair => HasUpTo(subscriber, pair.First, pair.Second))),
            $"{count} more messages everywhere");
        return clock.Elapsed;
    }

    /// <summary>Publishes no more, waits until all is acknowledged and taken, and counts.</summary>
    /// <param name="inOrder">False if messages were refused: these came later than those that were not.</param>
    public async Task FinishAsync(bool inOrder = true)
    {
        foreach (var publisher in publishers) publisher.StopPublishing();
        await UntilAsync(() => publishers.All(publisher => publisher.Finished.IsCompleted), "everything acknowledged");
        await UntilAsync(
            () => subscribers.All(subscriber => publishers.All(publisher => HasUpTo(subscriber, publisher, publisher.Published))), "everything taken");
        await stop.CancelAsync();
        await Task.WhenAll(running).WaitAsync(Limit);
        var faults = subscribers.SelectMany(subscriber => publishers.Where(publisher => Wants(subscriber, publisher)).SelectMany(publisher => Faults(subscriber, publisher, inOrder))).ToArray();
        Assert.True(faults.Length == 0, $"{string.Join('\n', faults)}\n{State()}");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        stop.Dispose();
    }

    /// <summary>How far each client is.</summary>
    public string State() =>
        string.Join("; ", publishers.Select(one => $"{one.ClientId} acknowledged {one.Acknowledged} of {one.Published}, {Where(one)}"))
        + "; " + string.Join("; ", subscribers.Select(one => $"{one.ClientId} took {one.Received.Count}, has {string.Join(' ', publishers.Where(publisher => Wants(one, publisher)).Select(publisher => one.LastOf(publisher.Topic!)))}, again {one.Repeated}, unreleased {one.Unreleased}, {Where(one)}"));

    private static string Where(DurableClient client) => $"node {client.Node}, {client.Connects} connects, last fault: {client.LastFault}";

    private async Task UntilAsync(Func<bool> reached, string what)
    {
        for (var clock = Stopwatch.StartNew(); !reached(); await Task.Delay(5))
        {
            foreach (var failed in running.Where(task => task.IsFaulted)) await failed;
            if (clock.Elapsed > Limit) Assert.Fail($"Not within {Limit}: {what}. {State()}");
        }
    }

    private static bool Wants(DurableClient subscriber, DurableClient publisher) => subscriber.ClientId == "all" || subscriber.ClientId[1] == publisher.ClientId[1];

    private static bool HasUpTo(DurableClient subscriber, DurableClient publisher, int number) =>
        !Wants(subscriber, publisher) || subscriber.LastOf(publisher.Topic!) >= number;

    /// <summary>What is wrong: it is to have all messages, in order by first appearance, those of QoS 2 exactly once.</summary>
    private static IEnumerable<string> Faults(DurableClient subscriber, DurableClient publisher, bool inOrder)
    {
        var (next, repeated) = (1, 0);
        var missing = Enumerable.Range(1, publisher.Published).ToHashSet();
        var jumps = new List<string>();
        foreach (var number in subscriber.Received.Where(taken => taken.Topic == publisher.Topic).Select(taken => taken.Number))
        {
            if (!missing.Remove(number)) repeated++;
            if (number > next) jumps.Add($"{next} to {number}");
            next = Math.Max(next, number + 1);
        }

        var what = $"{subscriber.ClientId} of {publisher.Published} of {publisher.Topic}";
        if (publisher.Published != publisher.Acknowledged) yield return $"{publisher.ClientId} published {publisher.Published}, acknowledged {publisher.Acknowledged}";
        if (missing.Count > 0) yield return $"{what} misses {missing.Count}: {string.Join(' ', missing.Order().Take(20))}";
        if (inOrder && jumps.Count > 0) yield return $"{what} jumps from {string.Join(", from ", jumps.Take(10))}";
        if (publisher.Qos == 2 && repeated > 0) yield return $"{what} took {repeated} twice";
    }
}
