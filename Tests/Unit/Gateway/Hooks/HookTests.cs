using System.Collections.Concurrent;
using Broker.Gateway.Hooks;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Hooks;

public class HookTests
{
    private static readonly HookFailures Failures = new(TimeProvider.System, NullLogger.Instance);

    [Fact]
    public async Task CallbacksAreAskedByPriority_AndEqualOnesInTheirOrder()
    {
        var chain = new HookChain<int, string>("test", Failures);
        Assert.True(chain.IsEmpty);
        chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "c")));
        chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "d")));
        chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "e")), priority: -5);
        var first = chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "a")), priority: 9);
        chain.Add(async (context, value) =>
        {
            await Task.Yield();
            return HookAnswer<string>.ContinueWith(value + context);
        }, priority: 8);
        Assert.Equal("-a7cde", await chain.RunAsync(7, "-"));
        first.Dispose();
        first.Dispose();
        Assert.Equal("7cde", await chain.RunAsync(7, ""));
    }

    [Theory]
    [InlineData("continue", "x!")]
    [InlineData("stop", "x")]
    [InlineData("stop with", "y")]
    [InlineData("continue with", "y!")]
    public async Task AnswerSaysHowToGoOn(string answer, string expected)
    {
        var said = answer switch
        {
            "stop" => HookAnswer<string>.Stop,
            "stop with" => HookAnswer<string>.StopWith("y"),
            "continue with" => HookAnswer<string>.ContinueWith("y"),
            _ => HookAnswer<string>.Continue,
        };
        var chain = new HookChain<int, string>("test", Failures);
        chain.Add((_, _) => new(said));
        chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "!")));
        Assert.Equal(expected, await chain.RunAsync(0, "x"));
        var filter = new HookFilter<int, string>("test", Failures);
        filter.Add((_, _) => said);
        filter.Add((_, value) => HookAnswer<string>.ContinueWith(value + "!"));
        Assert.Equal(expected, filter.Run(0, "x"));
    }

    [Fact]
    public async Task CallbackThatThrowsIsCounted_AndTheOthersAreAskedUnlessThatDecides()
    {
        var before = BrokerCounters.Read(Metric.HooksFailed);
        var open = new HookChain<int, string>("test", Failures);
        var closed = new HookChain<int, string>("test", Failures, HookAnswer<string>.StopWith("denied"));
        foreach (var chain in new[] { open, closed })
        {
            chain.Add((_, _) => throw new InvalidOperationException());
            chain.Add(async (_, _) =>
            {
                await Task.Yield();
                throw new InvalidOperationException();
            });
            chain.Add((_, value) => new(HookAnswer<string>.ContinueWith(value + "!")));
        }

        Assert.Equal("x!", await open.RunAsync(0, "x"));
        Assert.Equal("denied", await closed.RunAsync(0, "x"));
        Assert.True(BrokerCounters.Read(Metric.HooksFailed) >= before + 3);
    }

    [Fact]
    public async Task EventsOfOneClientKeepTheirOrder_AndASlowOneHoldsUpNoOther()
    {
        using var lanes = new HookLanes();
        var happened = new HookEvent<(string Client, int Number)>("test", Failures, lanes, one => one.Client);
        happened.Raise(("a", 0)); // nobody is there
        var seen = new ConcurrentQueue<(string, int)>();
        var gate = new TaskCompletionSource();
        happened.Add(async one =>
        {
            if (one == ("slow", 1)) await gate.Task;
            seen.Enqueue(one);
        });
        Assert.False(happened.IsEmpty);
        var quick = Enumerable.Range(0, 1000).Select(i => $"quick{i}").First(name => Lane(name) != Lane("slow"));
        happened.Raise(("slow", 1));
        happened.Raise(("slow", 2));
        for (var i = 1; i < 100; i++) happened.Raise((quick, i));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (seen.Count < 99)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(Enumerable.Range(1, 99), seen.Select(one => one.Item2));
        gate.SetResult();
        while (seen.Count < 101)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal([("slow", 1), ("slow", 2)], seen.TakeLast(2));
    }

    [Fact]
    public async Task EventsAreDroppedAndCounted_WhenTooManyWait()
    {
        var before = BrokerCounters.Read(Metric.HooksDropped);
        var gate = new TaskCompletionSource();
        using var lanes = new HookLanes();
        var happened = new HookEvent<int>("test", Failures, lanes, _ => "one");
        happened.Add(_ => new ValueTask(gate.Task));
        for (var i = 0; i < 10_100; i++) happened.Raise(i);
        Assert.InRange(BrokerCounters.Read(Metric.HooksDropped) - before, 99, 10_099);
        gate.SetResult();
    }

    private static uint Lane(string client) => (uint)client.GetHashCode(StringComparison.Ordinal) % (uint)(Environment.ProcessorCount * 4);
}
