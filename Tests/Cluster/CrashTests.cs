using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Promise 1: kill -9 at any moment loses no acknowledged message of a durable session and duplicates none of QoS 2.</summary>
[Collection(BrokerProcessCollection.Name)]
public class CrashTests
{
    private const int Kills = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

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
        await SubscribeAsync(broker, "s1", "crash/1/#", 1);
        await SubscribeAsync(broker, "s2", "crash/2/#", 2);
        await SubscribeAsync(broker, "all", "crash/#", 2);

        using var stop = new CancellationTokenSource();
        var clients = publishers.Concat(subscribers).Select(client => Task.Run(() => client.RunAsync(stop.Token))).ToArray();
        for (var kill = 0; kill < Kills; kill++)
        {
            // By progress, not by the clock: each life does something, however slow the machine is.
            var enough = publishers.Sum(publisher => publisher.Acknowledged) + random.Next(1, 2000);
            await WithinLimit(AcknowledgedAsync(publishers, enough), () => $"seed {seed}, life {kill}: {State(publishers, subscribers)}\n{broker.AllOutput}");
            await broker.KillAsync();
            await broker.StartAsync();
        }

        foreach (var publisher in publishers) publisher.StopPublishing();
        await WithinLimit(Task.WhenAll(publishers.Select(publisher => publisher.Finished)), () => $"seed {seed}: {State(publishers, subscribers)}\n{broker.AllOutput}");
        await WithinLimit(AllTakenAsync(subscribers, publishers), () => $"seed {seed}, all published: {State(publishers, subscribers)}\n{broker.AllOutput}");
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Limit);

        Check(subscribers[0], 1, publishers[..2]);
        Check(subscribers[1], 2, publishers[2..]);
        Check(subscribers[2], 1, publishers[..2]);
        Check(subscribers[2], 2, publishers[2..]);
        Assert.Empty(broker.Errors());
    }

    [Fact]
    [Clause("MQTT-3.1.2-5")]
    public async Task QueueIsThere_WhenKilledWhileTheSubscriberIsAway()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        await SubscribeAsync(broker, "away", "queue/#", 2);
        using (var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p")))
        {
            for (ushort i = 1; i <= 50; i++)
            {
                publisher.Publish("queue/x", $"{i}", qos: 2, identifier: i);
                publisher.Publish("queue/y", $"{i}", qos: 1, identifier: (ushort)(i + 1000));
            }

            await publisher.FlushAsync();
            for (var i = 0; i < 50; i++) await publisher.ReadAsync(WirePacket.Puback);
            for (var i = 0; i < 50; i++) await publisher.ReadAsync(WirePacket.Pubrec);
        }

        await broker.KillAsync();
        await broker.StartAsync();

        // The publisher owes 50 PUBRELs, and sends some PUBLISH again that it takes for lost: they are known.
        using (var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p")))
        {
            Assert.True(publisher.Connack.SessionPresent);
            for (ushort i = 1; i <= 5; i++) publisher.Publish("queue/x", $"{i}", qos: 2, identifier: i, dup: true);
            for (ushort i = 1; i <= 50; i++) publisher.Acknowledge(WirePacket.Pubrel, i);
            await publisher.FlushAsync();
            for (var i = 0; i < 50; i++) await publisher.ReadAsync(WirePacket.Pubcomp);
        }

        using var stop = new CancellationTokenSource();
        var away = new DurableClient(broker, "away");
        var running = away.RunAsync(stop.Token);
        await WithinLimit(CountAsync(away, 100), () => $"{away.Received.Count} of 100 taken\n{broker.AllOutput}");
        await stop.CancelAsync();
        await running;
        Assert.Equal(Enumerable.Range(1, 50), away.Received.Where(taken => taken.Qos == 2).Select(taken => taken.Number));
        Assert.Equal(Enumerable.Range(1, 50), away.Received.Where(taken => taken.Qos == 1).Select(taken => taken.Number));
        Assert.Empty(broker.Errors());
    }

    [Fact]
    public async Task QueueKeepsItsConfiguredLength_WhenKilledWithMoreThanTheDefaultAndPublishedToBeforeItsClientIsBack()
    {
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Mqtt:MaxQueueLength", "0"));
        await SubscribeAsync(broker, "away", "long", 1);
        await PublishAsync(1, 1200);
        await broker.KillAsync();
        await broker.StartAsync();
        await PublishAsync(1201, 1300);

        using var stop = new CancellationTokenSource();
        var away = new DurableClient(broker, "away");
        var running = away.RunAsync(stop.Token);
        await WithinLimit(CountAsync(away, 1300), () => $"{away.Received.Count} of 1300 taken");
        await stop.CancelAsync();
        await running;
        Assert.Equal(Enumerable.Range(1, 1300), away.Received.Select(taken => taken.Number));

        async Task PublishAsync(int from, int to)
        {
            using var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p") { CleanStart = true });
            for (var i = from; i <= to; i++) publisher.Publish("long", $"{i}", qos: 1, identifier: (ushort)i);
            await publisher.FlushAsync();
            for (var i = from; i <= to; i++) await publisher.ReadAsync(WirePacket.Puback);
        }
    }

    [Fact]
    public async Task RetainedMessagesAreThere_WhenKilledAfterTheirAcknowledgement()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        using (var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p") { CleanStart = true }))
        {
            for (ushort i = 1; i <= 30; i++) publisher.Publish($"kept/{i}", $"{i}", qos: 1, identifier: i, retain: true);
            publisher.Publish("kept/1", "", qos: 1, identifier: 31, retain: true);
            await publisher.FlushAsync();
            for (var i = 1; i <= 31; i++) await publisher.ReadAsync(WirePacket.Puback);
            await broker.KillAsync();
        }

        await broker.StartAsync();
        using var subscriber = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("s") { CleanStart = true });
        await subscriber.SubscribeAsync("kept/+", 1);
        var found = new HashSet<string>();
        for (var i = 2; i <= 30; i++)
        {
            var message = await subscriber.ReadAsync(WirePacket.Publish);
            Assert.True(message.IsRetained);
            subscriber.Acknowledge(WirePacket.Puback, message.Identifier);
            await subscriber.FlushAsync();
            found.Add(message.Payload);
        }

        await subscriber.PingAsync();
        Assert.Empty(subscriber.Aside);
        Assert.Equal(Enumerable.Range(2, 29).Select(i => $"{i}").ToHashSet(), found);
    }

    [Fact]
    [Clause("MQTT-3.1.2-8")]
    [Clause("MQTT-3.1.3-9")]
    public async Task WillsOfConnectedDurableClientsArePublished_WhenKilled()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        var port = await broker.Ready;
        await SubscribeAsync(broker, "watcher", "will/#", 1);
        var durable = new ConnectOptions("at-once") { IsV5 = true, SessionExpiry = 3600, Will = ("will/at-once", "1") };
        using var atOnce = await WireClient.ConnectAsync(port, durable);
        using var delayed = await WireClient.ConnectAsync(port, durable with { ClientId = "delayed", Will = ("will/delayed", "2"), WillDelay = 2 });
        using var back = await WireClient.ConnectAsync(port, durable with { ClientId = "back", Will = ("will/back", "3"), WillDelay = 2 });
        using var normal = await WireClient.ConnectAsync(port, durable with { ClientId = "normal", Will = ("will/normal", "4") });
        await normal.DisconnectAsync();
        // Due before the broker dies, by the clock that it cannot see.
        using (await WireClient.ConnectAsync(port, durable with { ClientId = "waiting", Will = ("will/waiting", "5"), WillDelay = 2 }))
        {
        }

        await broker.KillAsync();
        await broker.StartAsync();
        using var returned = await WireClient.ConnectAsync(await broker.Ready, durable with { ClientId = "back", Will = null });
        using var watcher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("watcher"));
        var wills = new List<string>();
        while (wills.Count < 3)
        {
            var message = await watcher.ReadAsync(WirePacket.Publish);
            if (message.Qos > 0) watcher.Acknowledge(WirePacket.Puback, message.Identifier);
            wills.Add(message.Topic);
        }

        Assert.Equal(["will/at-once", "will/delayed", "will/waiting"], wills.Order());
        Assert.Equal("will/at-once", wills[0]);
        Assert.Empty(broker.Errors());
    }

    [Fact]
    [Clause("MQTT-3.8.4-3")]
    public async Task SubscriptionsAreThere_WhenKilledAfterSuback()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        string[] filters = ["a/b", "a/+/c", "#", "$share/group/shared/x"];
        using (var subscriber = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("s")))
        {
            foreach (var filter in filters) await subscriber.SubscribeAsync(filter, 1);
            await broker.KillAsync();
        }

        await broker.StartAsync();
        using var again = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("s"));
        Assert.True(again.Connack.SessionPresent);
        using var publisher = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("p") { CleanStart = true });
        foreach (var topic in (string[])["a/b", "a/x/c", "other", "shared/x"]) publisher.Publish(topic, "1", qos: 1, identifier: 7);
        await publisher.FlushAsync();
        var topics = new List<string>();
        // The shared subscription and `#` are two subscriptions: the message may come once for each.
        while (!topics.Contains("shared/x")) topics.Add((await again.ReadAsync(WirePacket.Publish)).Topic);
        Assert.Equal(["a/b", "a/x/c", "other", "shared/x"], topics);
    }

    [Fact]
    [Clause("MQTT-3.1.2-23")]
    public async Task SessionExpires_WhenItsTimePassesAfterTheRestart()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        var options = new ConnectOptions("connected") { IsV5 = true, SessionExpiry = 1 };
        using var connected = await WireClient.ConnectAsync(await broker.Ready, options);
        await connected.SubscribeAsync("t", 1);
        using (var gone = await WireClient.ConnectAsync(await broker.Ready, options with { ClientId = "gone" })) await gone.DisconnectAsync();
        using var stays = await WireClient.ConnectAsync(await broker.Ready, options with { ClientId = "stays", SessionExpiry = 600 });
        await broker.KillAsync();
        await broker.StartAsync();

        // Deleted, not just refused: the sweep takes a second at most beyond the second it has to wait.
        await using var watch = new StoreWatch(broker.DatabasePath);
        await watch.WaitForAsync("SELECT group_concat(client_id) FROM session", "stays", TimeSpan.FromSeconds(10));
        using var again = await WireClient.ConnectAsync(await broker.Ready, options);
        Assert.False(again.Connack.SessionPresent);
        using var stayed = await WireClient.ConnectAsync(await broker.Ready, options with { ClientId = "stays" });
        Assert.True(stayed.Connack.SessionPresent);
    }

    [Fact]
    public async Task IsReadyWithinFiveSeconds_WhenKilledWithABacklog()
    {
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Mqtt:MaxQueueLength", "0"));
        var empty = await BestStartAsync(broker);
        await SubscribeAsync(broker, "away", "backlog/#", 1);
        using (var stop = new CancellationTokenSource())
        {
            var publisher = new DurableClient(broker, "p", "backlog/x", 1);
            var running = publisher.RunAsync(stop.Token);
            while (publisher.Acknowledged < 20_000 && !running.IsCompleted) await Task.Delay(20);
            await stop.CancelAsync();
            await running;
        }

        var full = await BestStartAsync(broker);
        TestContext.Current.TestOutputHelper?.WriteLine($"ready after {empty.TotalSeconds:F2} s empty, {full.TotalSeconds:F2} s with a backlog");
        Assert.InRange(empty, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(full, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    /// <summary>The shortest of three starts after kills: what else the machine does at a time says nothing about the broker.</summary>
    private static async Task<TimeSpan> BestStartAsync(BrokerProcess broker)
    {
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            await broker.KillAsync();
            await broker.StartAsync();
            best = broker.StartTime < best ? broker.StartTime : best;
        }

        return best;
    }

    private static async Task SubscribeAsync(BrokerProcess broker, string clientId, string filter, int qos)
    {
        using var client = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions(clientId));
        await client.SubscribeAsync(filter, qos);
        await client.DisconnectAsync();
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

    private static async Task CountAsync(DurableClient client, int count)
    {
        while (client.Received.Count < count) await Task.Delay(10);
    }

    private static string State(DurableClient[] publishers, DurableClient[] subscribers) =>
        string.Join("; ", publishers.Select(one => $"{one.ClientId} published {one.Published}, acknowledged {one.Acknowledged}, connects {one.Connects}"))
        + "; " + string.Join("; ", subscribers.Select(one => $"{one.ClientId} took {one.Received.Count}, connects {one.Connects}"));

    private static async Task WithinLimit(Task task, Func<string> phase)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not within {Limit}: {phase()}");
        }
    }
}
