using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Tests.Unit.Grains.Retained;

public class RetainedPartitionTests
{
    private const ReasonCode Success = ReasonCode.Success;

    [Fact]
    [Clause("MQTT-3.3.1-5")]
    [Clause("MQTT-3.3.1-6")]
    public async Task StoreFollowsMemory_WhenMessagesAreReplacedAndDeleted()
    {
        await using var test = await Fixture.OpenAsync();
        ReasonCode[] codes =
        [
            await test.Store("a", "1"), await test.Store("b", "2"), await test.Store("c", "3"), await test.Store("b", "4"), await test.Store("c", ""),
            await test.Store("nothing/there", ""),
        ];
        Assert.All(codes, code => Assert.Equal(Success, code));
        Assert.Equal(["1", "4"], test.Match("#"));
        Assert.Equal(2, test.Budget.Count);
        Assert.Equal(["1", "4"], await test.LoadAsync());
        await using var again = await test.ReopenAsync();
        Assert.Equal(["1", "4"], again.Match("+"));
        Assert.Equal(2, again.Budget.Count);
    }

    [Fact]
    public async Task GaugeFollows_WhenMessagesAreKeptRefusedExpiredAndLoaded()
    {
        var clock = new ManualClock();
        await using var test = await Fixture.OpenAsync(new RetainedOptions { MaxMessages = 3 }, clock);
        foreach (var topic in new[] { "a", "b", "a", "c", "one/too/many" }) await test.Store(topic, "x", topic == "c" ? clock.GetUtcNow().ToUnixTimeMilliseconds() + 5_000 : 0);
        Assert.Equal((3, 3), (test.Gauges.Read(Gauge.Retained), test.Gauges.Highest(Gauge.Retained)));
        await test.Store("b", "");
        await test.Store("b", "");
        Assert.Equal(2, test.Gauges.Read(Gauge.Retained));
        clock.Advance(TimeSpan.FromSeconds(5));
        test.Partition.RemoveExpired();
        Assert.Equal(1, test.Gauges.Read(Gauge.Retained));
        test.Partition.Close();
        Assert.Equal((0, 3), (test.Gauges.Read(Gauge.Retained), test.Gauges.Highest(Gauge.Retained)));
        await using var again = await test.ReopenAsync();
        Assert.Equal(1, again.Gauges.Read(Gauge.Retained));
    }

    [Fact]
    public async Task AnswerComesAfterCommit_WhenStored()
    {
        await using var test = await Fixture.OpenAsync();
        var hold = await test.Test.HoldAsync();
        var answers = new[] { test.Store("a", "1"), test.Store("a", "") };
        Assert.All(answers, answer => Assert.False(answer.IsCompleted));
        Assert.Equal(Success, await test.Store("a", "")); // nothing is there any more: nothing to wait for
        hold.Release();
        Assert.Equal([Success, Success], await Task.WhenAll(answers));
    }

    [Fact]
    public async Task GoneFromMemoryStoreAndBudget_WhenExpired()
    {
        var clock = new ManualClock();
        await using var test = await Fixture.OpenAsync(new RetainedOptions { ExpirySeconds = 10 }, clock);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        await test.Store("a", "default");
        await test.Store("b", "own", now + 5_000);
        await test.Store("$c/d", "dollar", now + 5_000);
        await test.Store("e", "long", now + 60_000);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["default", "long"], test.Match("#"));
        Assert.Equal([], test.Match("$c/#"));
        test.Partition.RemoveExpired();
        Assert.Equal(2, test.Budget.Count);
        clock.Advance(TimeSpan.FromSeconds(5));
        test.Partition.RemoveExpired();
        Assert.Equal(["long"], await test.LoadAsync());
        Assert.Equal(1, test.Budget.Count);
    }

    [Fact]
    public async Task OnlyKnownTopicsAreReplaced_WhenTheBudgetIsSpent()
    {
        await using var test = await Fixture.OpenAsync(new RetainedOptions { MaxMessages = 2 });
        foreach (var (topic, text) in new[] { ("a", "1"), ("b", "2"), ("c", "3"), ("a", "4") }) Assert.Equal(Success, await test.Store(topic, text));
        Assert.Equal(["4", "2"], test.Match("#"));
        await test.Store("b", "");
        await test.Store("c", "5");
        Assert.Equal(["4", "5"], test.Match("#"));
        Assert.Equal(2, test.Budget.Count);
    }

    [Fact]
    public async Task NotKept_WhenThePayloadIsTooLarge()
    {
        await using var test = await Fixture.OpenAsync(new RetainedOptions { MaxPayloadBytes = 3 });
        await test.Store("a", "123");
        Assert.Equal(Success, await test.Store("a", "1234"));
        Assert.Equal(Success, await test.Store("b", "1234"));
        Assert.Equal(["123"], test.Match("#"));
        Assert.Equal(1, test.Budget.Count);
    }

    [Fact]
    public async Task WhatWasThereIsThereAgain_WhenTheStoreRefuses()
    {
        await using var test = await Fixture.OpenAsync(store: new StoreOptions { MaxPendingWrites = 1 });
        await test.Store("a", "1");
        var hold = await test.Test.HoldAsync();
        test.Test.Store.Submit(new RemoveRetained(TopicName.Parse("no/such/topic")));
        Assert.Equal(ReasonCode.QuotaExceeded, await test.Store("a", "2"));
        Assert.Equal(ReasonCode.QuotaExceeded, await test.Store("b", "3"));
        hold.Release();
        Assert.Equal(["1"], test.Match("#"));
        Assert.Equal(1, test.Budget.Count);
        Assert.Equal(["1"], await test.LoadAsync());
    }

    [Fact]
    public async Task LastStoredIsThereAgain_WhenSeveralInARowAreRefusedTogether()
    {
        var clock = new ManualClock();
        await using var test = await Fixture.OpenAsync(clock: clock);
        await test.Store("a", "1");
        var hold = await test.Test.HoldAsync();
        using SqliteConnection other = new($"Data Source={test.Test.Place};Pooling=False");
        other.Open();
        Execute(other, "BEGIN IMMEDIATE");
        Task<ReasonCode>[] answers = [test.Store("a", "2"), test.Store("a", "3"), test.Store("b", "4"), test.Store("b", "5")];
        hold.Release();
        Assert.All(await Task.WhenAll(answers), code => Assert.Equal(ReasonCode.QuotaExceeded, code));
        Assert.Equal(["1"], test.Match("#"));
        Assert.Equal(1, test.Budget.Count);
        Execute(other, "ROLLBACK");
    }

    [Theory]
    [InlineData("#")]
    [InlineData("site/+/t")]
    public async Task EveryMessageIsSeenOnceInOrder_WhenReadInPages(string filter)
    {
        await using var test = await Fixture.OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 250).Select(i => test.Store($"site/{i:000}/t", $"{i:000}")));
        List<string> seen = [];
        TopicName? after = null;
        var pages = 0;
        do
        {
            Assert.True(test.Partition.TryMatch(TopicFilter.Parse(filter), after, 100, out var page));
            Assert.True(page.Messages.Length <= 100);
            seen.AddRange(page.Messages.Select(TestMessage.Text));
            after = page.Next;
            pages++;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"{i:000}"), seen);
        Assert.Equal(3, pages);
    }

    [Fact]
    public async Task StoreEndsWithWhatMemoryHas_WhenThreadsWriteTheSameTopics()
    {
        await using var test = await Fixture.OpenAsync();
        var writing = Enumerable.Range(0, 2).Select(thread => Task.Factory.StartNew(
            () =>
            {
                var random = new Random(thread);
                for (var i = 0; i < 5_000; i++)
                {
                    test.Partition.TryStore(TestMessage.On($"t/{random.Next(3)}", random.Next(3) == 0 ? "" : $"{thread} {i}"), null);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(writing).WaitAsync(TimeSpan.FromSeconds(20));
        await test.Test.Store.FlushAsync();
        Assert.Equal(test.Match("#").Order(), (await test.LoadAsync()).Order());
        Assert.Equal(test.Match("#").Length, test.Budget.Count);
    }

    [Fact]
    public async Task NothingIsTakenAndPlacesAreGivenBackOnce_WhenClosed()
    {
        await using var test = await Fixture.OpenAsync();
        await test.Store("a", "1");
        var hold = await test.Test.HoldAsync();
        var late = test.Store("b", "2");
        test.Partition.Close();
        test.Partition.Close();
        hold.Release();
        await late;
        Assert.Equal(0, test.Budget.Count);
        Assert.False(test.Partition.TryStore(TestMessage.On("c"), null));
        Assert.False(test.Partition.TryMatch(TopicFilter.Parse("#"), null, 1, out _));
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed class Fixture(TestStore test, RetainedOptions options, TimeProvider clock) : IAsyncDisposable
    {
        private const int Number = 3;

        public TestStore Test => test;

        public required RetainedBudget Budget { get; init; }

        public required BrokerGauges Gauges { get; init; }

        public required RetainedPartition Partition { get; init; }

        public static async Task<Fixture> OpenAsync(
            RetainedOptions? options = null, TimeProvider? clock = null, StoreOptions? store = null, string? path = null)
        {
            options ??= new RetainedOptions();
            var test = await TestStore.OpenAsync(path, store, clock, sqlite => sqlite.BusyTimeout = TimeSpan.FromMilliseconds(1));
            var gauges = new BrokerGauges();
            var budget = new RetainedBudget(options, gauges);
            var partition = new RetainedPartition(Number, test.Store, options, budget, clock ?? TimeProvider.System);
            await foreach (var message in test.Store.LoadRetainedAsync(Number)) partition.Restore(message);
            return new Fixture(test, options, clock ?? TimeProvider.System) { Partition = partition, Budget = budget, Gauges = gauges };
        }

        public async Task<Fixture> ReopenAsync()
        {
            await test.DisposeAsync();
            return await OpenAsync(options, clock, path: test.Place);
        }

        public Task<ReasonCode> Store(string topic, string text, long expiresAt = 0)
        {
            var receipt = new TaskReceipt();
            Assert.True(Partition.TryStore(TestMessage.On(topic, text, expiresAt: expiresAt), receipt));
            return receipt.Completion.IsCompleted ? receipt.Completion : receipt.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        }

        public string[] Match(string filter)
        {
            Assert.True(Partition.TryMatch(TopicFilter.Parse(filter), null, 1_000, out var page));
            return [.. page.Messages.Select(TestMessage.Text)];
        }

        public async Task<List<string>> LoadAsync()
        {
            await test.Store.FlushAsync();
            List<string> texts = [];
            await foreach (var message in test.Store.LoadRetainedAsync(Number)) texts.Add(TestMessage.Text(message));
            return texts;
        }

        public ValueTask DisposeAsync() => test.DisposeAsync();
    }
}
