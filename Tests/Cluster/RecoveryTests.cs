using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>What a broker has again after kill -9: queues, retained messages, wills, subscriptions and the ends of sessions.</summary>
public class RecoveryTests
{
    [Fact]
    [Clause("MQTT-3.1.2-5")]
    public async Task QueueIsThere_WhenKilledWhileTheSubscriberIsAway()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        await DurableClient.SubscribeAsync(broker, "away", "queue/#", 2);
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
        await Phase.AwaitAsync(away.TakenAsync(100), () => $"{away.Received.Count} of 100 taken\n{broker.AllOutput}");
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
        await DurableClient.SubscribeAsync(broker, "away", "long", 1);
        await PublishAsync(1, 1200);
        await broker.KillAsync();
        await broker.StartAsync();
        await PublishAsync(1201, 1300);

        using var stop = new CancellationTokenSource();
        var away = new DurableClient(broker, "away");
        var running = away.RunAsync(stop.Token);
        await Phase.AwaitAsync(away.TakenAsync(1300), () => $"{away.Received.Count} of 1300 taken");
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
        await DurableClient.SubscribeAsync(broker, "watcher", "will/#", 1);
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
    [Clause("MQTT-4.1.0-2")]
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
}
