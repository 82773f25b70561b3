using System.Collections.Concurrent;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Routing;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Routes that a shard has and should not have, or should have and has not, are found, repaired and counted; what merely changes is not.</summary>
public sealed class RouteAuditTests(RouteAuditTests.Audited broker) : IClassFixture<RouteAuditTests.Audited>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Two shards, so that what lives in all lives in several.</summary>
    public sealed class Audited() : BrokerHost(
        new Dictionary<string, string?> { ["Routing:AuditInterval"] = "00:00:00.05", ["Routing:Shards"] = "2" }, services => services.AddSingleton<ILoggerProvider>(Repairs));

    private static RepairLog Repairs { get; } = new();

    private IEnumerable<Shard> Shards => broker.Services.GetRequiredService<LocalShards>().All();

    [Theory]
    [InlineData("missing/1", false)]
    [InlineData("missing/2/+", false)]
    [InlineData("#", false)]
    [InlineData("$share/g/missing/3", false)]
    [InlineData("missing/4", true)]
    [InlineData("+/+/5", true)]
    [InlineData("$share/g/missing/6", true)]
    public async Task MissingRouteIsPutBackAndCounted_WhenItsOwnerHasIt(string filter, bool isDurable)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"misses {filter}", expiry: isDurable ? 1000u : null);
        await client.SubscribeAsync(filter, Qos.AtLeastOnce);
        var repaired = BrokerCounters.Read(Metric.RoutesRepaired);
        var lost = Shards.Select(shard => (Shard: shard, Routes: Of(shard, filter))).Where(one => one.Routes.Length > 0).ToArray();
        Assert.Equal(filter[0] is '#' or '+' ? 2 : 1, lost.Length);
        foreach (var (shard, routes) in lost) Assert.True(shard.TryChange([routes.Single() with { Remove = true }]));
        await UntilAsync(() => lost.All(one => Of(one.Shard, filter).SequenceEqual(one.Routes)), "the route is back");
        await CountedAsync(repaired + lost.Length);
        var topic = filter.Replace("$share/g/", "", StringComparison.Ordinal).Replace('+', 'x').Replace("#", "missing/any", StringComparison.Ordinal);
        await client.SendAsync(WirePacket.Publish(topic, "healed", Qos.AtLeastOnce, 7));
        await client.ExpectPublishAsync(topic, "healed", Qos.AtLeastOnce);
        await client.ExpectAsync(PacketType.Puback);
    }

    [Theory]
    [InlineData("waste/1", null)]
    [InlineData("$share/g/waste/2", null)]
    [InlineData("waste/3", "never came")]
    [InlineData("$share/g/waste/4", "never came")]
    [InlineData("waste/5", "wastes")]
    public async Task WasteIsTakenOutAndCounted_WhenItsOwnerDoesNotKnowIt(string filter, string? clientId)
    {
        await using var client = await RawClient.ConnectAsync(broker, "wastes", expiry: 1000);
        await client.SubscribeAsync("kept/by/client");
        await using var other = await RawClient.ConnectAsync(broker, "other");
        await other.SubscribeAsync("kept/by/other");
        var kept = Shards.SelectMany(shard => shard.Snapshot()).ToHashSet();
        var repaired = BrokerCounters.Read(Metric.RoutesRepaired);
        var shard = Shards.ElementAt(broker.Services.GetRequiredService<ShardMap>().ShardOf(TopicFilter.Parse(filter)));
        var waste = clientId is null
            ? new RouteChange(TopicFilter.Parse(filter), broker.Services.GetRequiredService<ShardLinks>().Self, RouteId.Of(0, 77, 4711))
            : new RouteChange(TopicFilter.Parse(filter), RouteDestination.OfSession(clientId), 99);
        Assert.True(shard.TryChange([waste]));
        await UntilAsync(() => Of(shard, filter).Length == 0, "the waste is gone");
        await CountedAsync(repaired + 1);
        Assert.Equal(kept, Shards.SelectMany(one => one.Snapshot()).ToHashSet());
        await client.PublishAsync(filter[filter.IndexOf("waste", StringComparison.Ordinal)..], "x"); // nobody gets it, and nobody is waited for
    }

    [Fact]
    public async Task NothingIsRepaired_WhenClientsComeSubscribeAndGoMeanwhile()
    {
        using var log = new RepairLog();
        await using var quiet = await BrokerHost.StartAsync(
            new() { ["Routing:AuditInterval"] = "00:00:00.25", ["Routing:Shards"] = "2" }, services => services.AddSingleton<ILoggerProvider>(log));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async number =>
        {
            for (var round = 0; round < 25; round++)
            {
                await using var client = await RawClient.ConnectAsync(quiet, $"churns-{number}", expiry: number % 2 == 0 ? 1000u : null);
                for (var topic = 0; topic < 4; topic++) await client.SubscribeAsync($"{number}/{topic}/{round}");
                await client.SubscribeAsync($"+/churn/{number}/{round}");
                await client.SubscribeAsync($"$share/g/churn/{number}/{round}");
                await client.SendAsync(WirePacket.Unsubscribe(99, [$"{number}/1/{round}", $"+/churn/{number}/{round}"]));
                await client.ExpectAsync(PacketType.Unsuback);
                await client.DisconnectAsync();
            }
        }));
        Assert.Empty(log.Lines);
    }

    private static RouteChange[] Of(Shard shard, string filter) => [.. shard.Snapshot().Where(route => route.Filter.Text == filter)];

    /// <summary>The counter belongs to the process: no other test's broker has anything to repair, but it might.</summary>
    private static Task CountedAsync(long atLeast) => UntilAsync(() => BrokerCounters.Read(Metric.RoutesRepaired) >= atLeast && !Repairs.Lines.IsEmpty, $"{atLeast} repairs are counted");

    private static async Task UntilAsync(Func<bool> condition, string expected)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Deadline) throw new TimeoutException($"Expected within {Deadline.TotalSeconds} s that {expected}. Repaired so far: {string.Join("; ", Repairs.Lines)}");
            await Task.Delay(10);
        }
    }

    /// <summary>What audits say.</summary>
    private sealed class RepairLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(RouteAudit).FullName ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
