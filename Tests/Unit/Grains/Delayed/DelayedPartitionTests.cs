using Broker.Grains.Delayed;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Unit.Grains.Delayed;

public class DelayedPartitionTests
{
    private const int Number = 3;

    [Fact]
    public async Task MessagesArePublishedInTheOrderOfTheirTimes_AndTakenOut()
    {
        await using var test = await Fixture.OpenAsync();
        foreach (var (seconds, text) in new[] { (30, "late"), (10, "first"), (20, "second"), (10, "too") }) Assert.Equal(ReasonCode.Success, await test.StoreAsync(seconds, text));
        Assert.Equal((4, 4), (test.Partition.Count, test.Gauges.Read(Gauge.Delayed)));
        await test.AdvanceAsync(9, () => true);
        Assert.Empty(test.Publisher.Published);
        await test.AdvanceAsync(11, () => test.Publisher.Published.Count == 3 && test.Partition.Count == 1);
        Assert.Equal(["first", "too", "second"], test.Publisher.Texts);
        await test.AdvanceAsync(10, () => test.Partition.Count == 0);
        Assert.Equal(["first", "too", "second", "late"], test.Publisher.Texts);
        Assert.Equal((0, 0), (test.Test.Count("delayed_message"), test.Gauges.Read(Gauge.Delayed)));
    }

    [Fact]
    public async Task EveryOneIsPublishedOnce_WhenManyAreDueAtOnceAndMoreCome()
    {
        await using var test = await Fixture.OpenAsync();
        var stored = new List<Task<ReasonCode>>();
        for (var i = 0; i < 1_200; i++) stored.Add(test.StoreAsync(i < 1_100 ? 5 : 0, $"{i}"));
        Assert.All(await Task.WhenAll(stored), code => Assert.Equal(ReasonCode.Success, code));
        await test.AdvanceAsync(6, () => test.Partition.Count == 0);
        Assert.Equal(Enumerable.Range(1_100, 100).Concat(Enumerable.Range(0, 1_100)).Select(i => $"{i}"), test.Publisher.Texts);
    }

    [Fact]
    public async Task OverdueOnesArePublishedAtOnce_WhenItComesUp()
    {
        await using var test = await Fixture.OpenAsync();
        await test.StoreAsync(10, "x");
        await test.StoreAsync(1000, "y");
        await test.CloseAsync();
        Assert.Equal(0, test.Gauges.Read(Gauge.Delayed));
        test.Clock.Advance(TimeSpan.FromSeconds(60));
        await using var again = await test.ReopenAsync();
        await again.AdvanceAsync(0, () => again.Partition.Count == 1);
        Assert.Equal(["x"], again.Publisher.Texts);
    }

    [Fact]
    public async Task SameBatchIsFinished_WhenACallFails()
    {
        await using var test = await Fixture.OpenAsync();
        test.Publisher.Fail(3);
        for (var i = 0; i < 3; i++) await test.StoreAsync(5, $"{i}", Qos.ExactlyOnce);
        await test.AdvanceAsync(6, () => test.Partition.Count == 0, step: 1);
        Assert.Equal(4, test.Publisher.Calls.Count);
        Assert.Single(test.Publisher.Calls.Distinct(ReferenceEqualityComparer.Instance));
        Assert.Equal([1, 2, 3], test.Publisher.Published.Select(message => message.Origin!.Number));
    }

    [Fact]
    public async Task RefusedOnesAreOfferedAgain_AndNothingOvertakesThem()
    {
        await using var test = await Fixture.OpenAsync();
        test.Publisher.Refuse("b", 3);
        foreach (var text in new[] { "a", "b", "c" }) await test.StoreAsync(5, text);
        await test.StoreAsync(7, "later");
        await test.AdvanceAsync(6, () => test.Partition.Count == 2);
        await test.AdvanceAsync(2, () => test.Partition.Count == 0, step: 1);
        Assert.Equal(["a", "c", "b", "later"], test.Publisher.Texts);
    }

    [Fact]
    public async Task OneThatIsNeverTakenIsGivenUp_AndCounted()
    {
        await using var test = await Fixture.OpenAsync();
        var dropped = BrokerCounters.Read(Metric.MessagesDelayedDropped);
        test.Publisher.Refuse("b", int.MaxValue);
        await test.StoreAsync(1, "b");
        await test.StoreAsync(2, "c");
        await test.AdvanceAsync(3, () => test.Partition.Count == 0, step: 30);
        Assert.Equal(["c"], test.Publisher.Texts);
        Assert.True(BrokerCounters.Read(Metric.MessagesDelayedDropped) > dropped);
    }

    [Fact]
    public async Task NameStays_WhenTheProcessDiesBeforeItIsTakenOut()
    {
        await using var test = await Fixture.OpenAsync();
        test.Publisher.Fail(int.MaxValue);
        await test.StoreAsync(5, "2", Qos.ExactlyOnce);
        await test.StoreAsync(5, "1");
        await test.AdvanceAsync(6, () => test.Publisher.Calls.Count > 0);
        var named = test.Publisher.Calls[0];
        await using var again = await test.ReopenAsync();
        await again.StoreAsync(0, "new", Qos.ExactlyOnce);
        await again.AdvanceAsync(1, () => again.Partition.Count == 0);
        Assert.Equal(named[0].Origin, again.Publisher.Published[0].Origin);
        Assert.Null(again.Publisher.Published[1].Origin);
        Assert.NotEqual(named[0].Origin!.Source, again.Publisher.Published[2].Origin!.Source);
    }

    [Fact]
    public async Task ExpiredOnesAreNotPublished()
    {
        await using var test = await Fixture.OpenAsync();
        await test.StoreAsync(10, "expired", expiresIn: 8);
        await test.StoreAsync(10, "lives", expiresIn: 20);
        await test.AdvanceAsync(11, () => test.Partition.Count == 0);
        Assert.Equal(["lives"], test.Publisher.Texts);
    }

    [Fact]
    public async Task MessagesAreRefused_WhenThereAreTooManyOrTheyAreTooLarge()
    {
        await using var test = await Fixture.OpenAsync(new DelayedOptions { MaxMessages = 2, MaxPayloadBytes = 10 });
        Assert.Equal(ReasonCode.QuotaExceeded, await test.StoreAsync(10, new string('x', 11)));
        Assert.Equal(ReasonCode.Success, await test.StoreAsync(10, new string('x', 10)));
        Assert.Equal(ReasonCode.Success, await test.StoreAsync(10, "b"));
        Assert.Equal(ReasonCode.QuotaExceeded, await test.StoreAsync(10, "c", Qos.ExactlyOnce, new MessageOrigin(1, 1)));
        Assert.Equal(2, test.Gauges.Read(Gauge.Delayed));
        await test.AdvanceAsync(11, () => test.Partition.Count == 0);
        Assert.Equal(ReasonCode.Success, await test.StoreAsync(10, "c", Qos.ExactlyOnce, new MessageOrigin(1, 1))); // what was refused may come again
    }

    [Fact]
    public async Task RepetitionIsNotStoredAgain_EvenAfterTheMessageWasPublished()
    {
        await using var test = await Fixture.OpenAsync();
        var origin = new MessageOrigin(77, 5);
        for (var i = 0; i < 2; i++) Assert.Equal(ReasonCode.Success, await test.StoreAsync(1, "x", Qos.ExactlyOnce, origin));
        Assert.Equal(1, test.Partition.Count);
        await test.AdvanceAsync(2, () => test.Partition.Count == 0);
        Assert.Equal(ReasonCode.Success, await test.StoreAsync(1, "x", Qos.ExactlyOnce, origin));
        await test.CloseAsync();
        await using var again = await test.ReopenAsync();
        Assert.Equal(ReasonCode.Success, await again.StoreAsync(1, "x", Qos.ExactlyOnce, origin));
        Assert.Equal(0, again.Partition.Count);
        Assert.Equal(ReasonCode.Success, await again.StoreAsync(1, "y", Qos.ExactlyOnce, new MessageOrigin(77, 6)));
        Assert.Equal(1, again.Partition.Count);
    }

    [Fact]
    public async Task MessageDoesNotCome_WhenItWasTakenOut()
    {
        await using var test = await Fixture.OpenAsync();
        await test.StoreAsync(10, "out");
        await test.StoreAsync(10, "stays");
        var keys = (await test.Test.Store.ReadDelayedAsync(reader => reader.ReadHeads(Number, null, 0, 10))).Select(head => head.Key).ToArray();
        Assert.True(await test.Partition.RemoveAsync(keys[0]));
        Assert.False(await test.Partition.RemoveAsync(keys[0]));
        Assert.Equal((1, 1), (test.Partition.Count, test.Gauges.Read(Gauge.Delayed)));
        await test.AdvanceAsync(11, () => test.Partition.Count == 0);
        Assert.Equal(["stays"], test.Publisher.Texts);
    }

    [Fact]
    public async Task PublisherIsToldAfterCommit_AndThatItFailed()
    {
        await using var test = await Fixture.OpenAsync();
        var hold = await test.Test.HoldAsync();
        var stored = test.StoreAsync(10, "x");
        Assert.False(stored.IsCompleted);
        Assert.Equal(0, test.Test.Count("delayed_message"));
        hold.Release();
        Assert.Equal(ReasonCode.Success, await stored);
        Assert.Equal(1, test.Test.Count("delayed_message"));
        await test.Test.DisposeAsync();
        Assert.Equal(ReasonCode.QuotaExceeded, await test.StoreAsync(10, "y"));
        Assert.Equal(1, test.Partition.Count);
    }

    [Fact]
    public async Task NothingIsTakenOrPublished_WhenItIsClosed()
    {
        await using var test = await Fixture.OpenAsync();
        await test.StoreAsync(1, "x");
        await test.CloseAsync();
        Assert.False(test.Partition.TryStore(new DelayedMessage(TestMessage.On("a"), 0, 0, null), null));
        await test.AdvanceAsync(5, () => true);
        Assert.Empty(test.Publisher.Published);
        Assert.Equal(1, test.Test.Count("delayed_message"));
    }

    private sealed class Fixture(TestStore test, DelayedOptions options, ManualClock clock) : IAsyncDisposable
    {
        public TestStore Test => test;

        public ManualClock Clock => clock;

        public required DelayedPartition Partition { get; init; }

        public required FakePublisher Publisher { get; init; }

        public required BrokerGauges Gauges { get; init; }

        private long NowMs => clock.GetUtcNow().ToUnixTimeMilliseconds();

        public static async Task<Fixture> OpenAsync(DelayedOptions? options = null, ManualClock? clock = null, string? path = null)
        {
            (options, clock) = (options ?? new DelayedOptions(), clock ?? new ManualClock());
            var test = await TestStore.OpenAsync(path);
            var (publisher, gauges) = (new FakePublisher(), new BrokerGauges());
            var (state, origins) = await test.Store.ReadDelayedAsync(reader => (reader.ReadState(Number), reader.ReadOrigins(Number)));
            var services = new DelayedServices(test.Store, options, new DelayedBudget(options, gauges), publisher, clock, NullLogger.Instance);
            return new Fixture(test, options, clock) { Partition = new DelayedPartition(Number, state, origins, services), Publisher = publisher, Gauges = gauges };
        }

        /// <summary>What comes up after this one, which may have ended or not.</summary>
        public async Task<Fixture> ReopenAsync()
        {
            await CloseAsync();
            await test.DisposeAsync();
            return await OpenAsync(options, clock, test.Place);
        }

        public Task<ReasonCode> StoreAsync(int seconds, string text, Qos qos = Qos.AtLeastOnce, MessageOrigin? origin = null, int expiresIn = 0)
        {
            var message = TestMessage.On("a/b", text, qos, expiresIn == 0 ? 0 : NowMs + expiresIn * 1000);
            var receipt = new TaskReceipt();
            Assert.True(Partition.TryStore(new DelayedMessage(origin is null ? message : message.From(origin), NowMs + seconds * 1000, NowMs, null), receipt));
            return receipt.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        }

        /// <summary>Lets time pass, and then more in small steps until something has happened.</summary>
        public async Task AdvanceAsync(int seconds, Func<bool> happened, int step = 0)
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            await Wait.UntilAsync(
                () =>
                {
                    clock.Advance(TimeSpan.FromMilliseconds(step * 1000 + 1));
                    return happened();
                },
                () => $"{Partition.Count} wait, {string.Join(' ', Publisher.Texts)} published");
        }

        public Task CloseAsync() => Partition.CloseAsync(new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);

        public async ValueTask DisposeAsync()
        {
            await CloseAsync();
            await test.DisposeAsync();
        }
    }
}
