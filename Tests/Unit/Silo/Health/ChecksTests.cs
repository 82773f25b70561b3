using System.Reflection;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Routing;
using Broker.Silo.Health;
using Broker.Tests.Unit.Gateway;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Silo.Health;

public sealed class ChecksTests
{
    private static readonly ShardMap Map = new(3, 2);
    private readonly ManualClock clock = new();

    [Theory]
    [InlineData(SiloStatus.Created, "the process is Created")]
    [InlineData(SiloStatus.Joining, "the process is Joining")]
    [InlineData(SiloStatus.Active, null)]
    [InlineData(SiloStatus.ShuttingDown, "the process is ShuttingDown")]
    [InlineData(SiloStatus.Dead, "the process is Dead")]
    public void OnlyAMemberIsReady_WhenMembershipIsAsked(SiloStatus status, string? fault) =>
        Assert.Equal(fault, new MembershipReadiness(new FakeSilos { CurrentStatus = status }).Fault);

    [Fact]
    public void IsNotReady_OnceDrainingHasBegun()
    {
        var draining = new Draining();
        Assert.Null(draining.Fault);
        draining.Begin();
        Assert.Equal("the process is about to stop", draining.Fault);
    }

    [Fact]
    public async Task ShardsAreReady_WhenAllHaveAnswered()
    {
        using var shards = Look(_ => Task.CompletedTask);
        Assert.Equal("shards have not been reached yet", shards.Fault);
        await shards.StartAsync(CancellationToken.None);
        await clock.TimerSetAsync(); // the period's
        await BecomesAsync(shards, null);
        await shards.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ReasonIsTold_WhenAShardCannotBeReached()
    {
        var away = true;
        using var shards = Look(shard => shard == 1 && away ? Task.FromException(new OrleansException("nobody has it")) : Task.CompletedTask);
        await shards.StartAsync(CancellationToken.None);
        await clock.TimerSetAsync();
        await BecomesAsync(shards, "nobody has it");
        away = false;
        clock.Advance(TimeSpan.FromSeconds(2));
        await BecomesAsync(shards, null);
        await shards.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ReasonIsTold_WhenAShardDoesNotAnswer()
    {
        using var shards = Look(shard => shard == 2 ? new TaskCompletionSource().Task : Task.CompletedTask);
        await shards.StartAsync(CancellationToken.None);
        await clock.TimerSetAsync(); // the period's
        await clock.TimerSetAsync(); // that of the patience
        clock.Advance(TimeSpan.FromSeconds(5));
        await BecomesAsync(shards, "The operation has timed out.");
        await shards.StopAsync(CancellationToken.None);
    }

    private static async Task BecomesAsync(ShardReadiness shards, string? fault)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (shards.Fault != fault)
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(10)) throw new TimeoutException($"Expected '{fault}', but it is '{shards.Fault}'.");
            await Task.Yield();
        }
    }

    private ShardReadiness Look(Func<long, Task> ping)
    {
        var grains = DispatchProxy.Create<IGrainFactory, Fake>();
        ((Fake)grains).Answer = arguments =>
        {
            var shard = DispatchProxy.Create<ITopicShardGrain, Fake>();
            ((Fake)shard).Answer = _ => ping((long)arguments[0]!);
            return shard;
        };
        return new ShardReadiness(grains, Map, clock);
    }

    /// <summary>Answers every call in the same way.</summary>
    public class Fake : DispatchProxy
    {
        internal Func<object?[], object?> Answer { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Answer(args!);
    }
}
