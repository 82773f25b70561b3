using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>`/health/live` and `/health/ready` of a whole broker: before it has joined, while its store fails, while it drains.</summary>
public sealed class HealthTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly HttpClient Http = new() { Timeout = Deadline };

    [Fact]
    public async Task IsLiveButNotReady_UntilTheProcessHasJoined()
    {
        var gate = new StartGate();
        var starting = BrokerHost.StartAsync([], services => services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => gate.In(provider)));
        var port = await gate.Reached.WaitAsync(Deadline);
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync(port, "live"));
        var (code, reasons) = await GetAsync(port, "ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        foreach (var reason in new[] { "membership: the process is ", "shards: shards have not been reached yet", "listener: connections are not accepted" })
        {
            Assert.Contains(reason, reasons, StringComparison.Ordinal);
        }

        gate.Open();
        await using var broker = await starting;
        await ReadyAsync(port);
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync(port, "live"));
    }

    [Fact]
    public async Task ReadyNamesTheStore_WhileItTakesNothing()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Storage:MaxPages"] = "400" });
        broker.ExpectError("The store fails");
        var port = PortOf(broker);
        await ReadyAsync(port);
        await using var client = await RawClient.ConnectAsync(broker, "fills");
        var kept = 0;
        for (; ; kept++)
        {
            await client.SendAsync(WirePacket.Publish($"health/{kept}", new string('x', 20_000), Qos.AtLeastOnce, 7, retain: true));
            if ((await client.ExpectAsync(PacketType.Puback)).Code == ReasonCode.QuotaExceeded) break;
            Assert.True(kept < 200, "The store does not fill.");
        }

        await AnswersAsync(port, HttpStatusCode.ServiceUnavailable, "store: the store takes nothing\n");
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync(port, "live"));
        // At once: what a failing store keeps for later it tries together.
        await client.SendAsync([.. Enumerable.Range(0, kept).Select(topic => WirePacket.Publish($"health/{topic}", "", Qos.AtLeastOnce, 7, retain: true))]);
        for (var topic = 0; topic < kept; topic++) Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Puback)).Code);
        await ReadyAsync(port);
    }

    [Fact]
    public async Task ReadyTurnsAndClientsAreServedOn_WhileDraining()
    {
        var clock = new DrainClock(TimeSpan.FromMinutes(4.5));
        var broker = await BrokerHost.StartAsync(new() { ["Cluster:DrainDelay"] = "00:04:30" }, services => services.AddSingleton<TimeProvider>(clock));
        var port = PortOf(broker);
        await ReadyAsync(port);
        await using var client = await RawClient.ConnectAsync(broker, "stays");

        var stopping = broker.DisposeAsync().AsTask();
        await clock.Waiting.WaitAsync(Deadline);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining: the process is about to stop\n"), await GetAsync(port, "ready"));
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync(port, "live"));
        using (var status = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/status"))) Assert.Equal(HttpStatusCode.ServiceUnavailable, status.StatusCode);
        await using var late = await RawClient.ConnectAsync(broker, "late");
        await late.SubscribeAsync("drains", Qos.AtLeastOnce);
        await client.PublishAsync("drains", "served");
        await late.ExpectPublishAsync("drains", "served", Qos.AtLeastOnce);

        await clock.ReleaseAsync();
        foreach (var one in new[] { client, late }) Assert.Equal(ReasonCode.ServerShuttingDown, (await one.ExpectAsync(PacketType.Disconnect)).Code);
        await stopping.WaitAsync(Deadline);
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(port, "live"));
    }

    private static int PortOf(BrokerHost broker) => broker.Services.GetRequiredService<AdminServer>().Port;

    private static async Task<(HttpStatusCode Code, string Body)> GetAsync(int port, string what)
    {
        using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/{what}"));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static Task ReadyAsync(int port) => AnswersAsync(port, HttpStatusCode.OK, "ready\n");

    private static async Task AnswersAsync(int port, HttpStatusCode code, string body)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await GetAsync(port, "ready");
            if (answer == (code, body)) return;
            if (TimeProvider.System.GetElapsedTime(started) > Deadline) throw new TimeoutException($"Expected {code} {body} within {Deadline.TotalSeconds} s, but it is {answer}");
            await Task.Delay(20);
        }
    }

    /// <summary>Holds the silo up before it becomes a member.</summary>
    private sealed class StartGate : ILifecycleParticipant<ISiloLifecycle>
    {
        private readonly TaskCompletionSource<int> reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private IServiceProvider services = null!;

        /// <summary>The admin port, once the silo waits.</summary>
        public Task<int> Reached => reached.Task;

        public StartGate In(IServiceProvider provider)
        {
            services = provider;
            return this;
        }

        public void Open() => open.SetResult();

        public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(StartGate), ServiceLifecycleStage.RuntimeInitialize, _ =>
        {
            reached.SetResult(services.GetRequiredService<AdminServer>().Port);
            return open.Task;
        });
    }

    /// <summary>The real clock, but for one delay that ends when the test says so.</summary>
    private sealed class DrainClock(TimeSpan held) : TimeProvider
    {
        private readonly TaskCompletionSource<ITimer> waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when somebody waits for the delay.</summary>
        public Task<ITimer> Waiting => waiting.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != held) return base.CreateTimer(callback, state, dueTime, period);
            var timer = base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
            waiting.TrySetResult(timer);
            return timer;
        }

        public async Task ReleaseAsync() => (await Waiting).Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
