using System.Net;
using System.Net.Sockets;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>Starting and ending as an operator sees it.</summary>
public class ShutdownTests
{
    private const int ServerShuttingDown = 0x8B;
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    [Clause("MQTT-4.13.1-1")]
    public async Task ClientsAreSentAway_WhenTerminated(string transport)
    {
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Gateway:Transport", transport));
        var port = await broker.Ready;
        using var v5 = await WireClient.ConnectAsync(port, new ConnectOptions("v5") { IsV5 = true, SessionExpiry = 600 });
        using var transient = await WireClient.ConnectAsync(port, new ConnectOptions("transient") { IsV5 = true, CleanStart = true });
        using var v3 = await WireClient.ConnectAsync(port, new ConnectOptions("v3"));
        await v5.SubscribeAsync("t", 1);

        var (code, time) = await broker.TerminateAsync();

        Assert.Equal(0, code);
        Assert.InRange(time, TimeSpan.Zero, Quick);
        Assert.Equal(ServerShuttingDown, (await v5.ReadAsync(WirePacket.Disconnect)).Code);
        Assert.Equal(ServerShuttingDown, (await transient.ReadAsync(WirePacket.Disconnect)).Code);
        Assert.Null(await v3.ReadAsync());
        Assert.Empty(broker.Errors());

        await broker.StartAsync();
        using var again = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("v5") { IsV5 = true, SessionExpiry = 600 });
        Assert.True(again.Connack.SessionPresent);
    }

    [Fact]
    public async Task NothingIsLost_WhenTerminatedUnderLoad()
    {
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Mqtt:MaxQueueLength", "0"));
        using (var client = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("s")))
        {
            await client.SubscribeAsync("load", 2);
            await client.DisconnectAsync();
        }

        DurableClient publisher = new(broker, "p", "load", 2), subscriber = new(broker, "s");
        using var stop = new CancellationTokenSource();
        Task[] running = [publisher.RunAsync(stop.Token), subscriber.RunAsync(stop.Token)];
        for (var round = 1; round <= 3; round++)
        {
            var enough = publisher.Acknowledged + 200;
            while (publisher.Acknowledged < enough && !running[0].IsCompleted) await Task.Delay(10);
            var (code, time) = await broker.TerminateAsync();
            Assert.Equal(0, code);
            Assert.InRange(time, TimeSpan.Zero, Quick);
            Assert.Empty(broker.Errors());
            await broker.StartAsync();
        }

        publisher.StopPublishing();
        await publisher.Finished.WaitAsync(TimeSpan.FromSeconds(30));
        while (subscriber.Received.Count < publisher.Published && !running[1].IsCompleted) await Task.Delay(10);
        await stop.CancelAsync();
        await Task.WhenAll(running);
        Assert.Equal(Enumerable.Range(1, publisher.Published), subscriber.Received.Select(taken => taken.Number));
    }

    [Fact]
    public async Task TrafficGoesOn_WhenTheProcessWasStoppedForAWhile()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        using var client = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("c"));
        await client.SubscribeAsync("t", 2);
        broker.Freeze();
        client.Publish("t", "1", qos: 2, identifier: 1);
        await client.FlushAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        broker.Thaw();
        Assert.Equal(1, (await client.ReadAsync(WirePacket.Pubrec)).Identifier);
        Assert.Equal("1", (await client.ReadAsync(WirePacket.Publish)).Payload);
        Assert.Empty(broker.Errors());
    }

    [Fact]
    public async Task StopsInOrder_WhenToldSoWhileItStarts()
    {
        // A front end without a silo never becomes ready.
        await using var broker = new BrokerProcess().Set("Cluster:HostGrains", "false");
        broker.Launch();
        await broker.WaitForLogAsync("Not ready", TimeSpan.FromSeconds(30));
        var (code, time) = await broker.TerminateAsync();
        Assert.Equal(0, code);
        Assert.InRange(time, TimeSpan.Zero, Quick);
        Assert.Empty(broker.Errors());
    }

    [Fact]
    public async Task ReadyTurnsBeforeTheListenerCloses_WhenTerminated()
    {
        var delay = TimeSpan.FromSeconds(6);
        await using var broker = await BrokerProcess.StartNewAsync(settings: ("Cluster:DrainDelay", $"{delay}"));
        var port = await broker.Ready;
        await BrokerCluster.ReadyAsync(broker);
        using var client = await WireClient.ConnectAsync(port, new ConnectOptions("stays") { IsV5 = true });

        var ending = broker.TerminateAsync();
        await BrokerCluster.AnswersAsync(broker, HttpStatusCode.ServiceUnavailable, "draining: the process is about to stop\n");
        using (var late = await WireClient.ConnectAsync(port, new ConnectOptions("late"))) await late.PingAsync();
        await client.PingAsync();

        var (code, time) = await ending;
        Assert.Equal(0, code);
        Assert.InRange(time, delay, delay + Quick);
        Assert.Equal(ServerShuttingDown, (await client.ReadAsync(WirePacket.Disconnect)).Code);
        Assert.Empty(broker.Errors());
    }

    [Theory]
    [InlineData("Gateway:Address")]
    [InlineData("Cluster:Address")]
    [InlineData("Admin:Address")]
    public async Task SaysWhichSettingToChange_WhenAnAddressIsNone(string key)
    {
        await using var broker = new BrokerProcess().Set(key, "nowhere");
        if (key == "Cluster:Address") broker.Set("Cluster:ConnectionString", "Server=127.0.0.1;Database=broker;User ID=broker");
        await FailsToStartAsync(broker, key, "nowhere");
    }

    [Theory]
    [InlineData("Gateway:Port")]
    [InlineData("Admin:Port")]
    public async Task SaysWhichSettingToChange_WhenThePortIsInUse(string key)
    {
        using var other = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        other.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        other.Listen();
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;
        await using var broker = new BrokerProcess().Set(key, $"{port}");
        await FailsToStartAsync(broker, key, $"{port}");
    }

    [Fact]
    public async Task SaysSo_WhenTheDataFolderIsInUse()
    {
        await using var first = await BrokerProcess.StartNewAsync();
        await using var second = new BrokerProcess(first.DataDirectory);
        await FailsToStartAsync(second, "Storage:DataDirectory", first.DataDirectory);
        using var client = await WireClient.ConnectAsync(await first.Ready, new ConnectOptions("c"));
    }

    [Fact]
    public async Task SaysSo_WhenTheDatabaseIsOfANewerProgram()
    {
        await using var broker = await BrokerProcess.StartNewAsync();
        await broker.TerminateAsync();
        StoreWatch.Change(broker.DatabasePath, "UPDATE schema_version SET version = 99");
        await FailsToStartAsync(broker, "schema version 99", broker.DatabasePath);
        await using var watch = new StoreWatch(broker.DatabasePath);
        Assert.Equal("99", watch.Query("SELECT version FROM schema_version"));
    }

    /// <summary>Exit code 1, and one line with what an operator needs; no stack trace.</summary>
    private static async Task FailsToStartAsync(BrokerProcess broker, params string[] said)
    {
        broker.Launch();
        Assert.Equal(1, await broker.EndAsync());
        var line = Assert.Single(broker.Output, line => line.Length > 0);
        Assert.All(said, part => Assert.Contains(part, line, StringComparison.Ordinal));
    }
}
