using System.Collections.Concurrent;
using System.Threading.Channels;
using Broker.Grains.Interfaces.Links;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Links;

public class BatchLinkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task WhatArrivesMeanwhileTravelsInTheNextCall_WhenACallIsInFlight()
    {
        var link = new HeldLink();
        Assert.True(link.IsIdle);
        Assert.True(link.TryEnqueue(1));
        var first = await link.NextCallAsync();
        AssertCarries(first, 1, 1);
        for (var i = 2; i <= 5; i++) Assert.True(link.TryEnqueue(i));
        Assert.Equal(4, link.Waiting);
        Assert.False(link.IsIdle);
        first.Succeed();
        var second = await link.NextCallAsync();
        Assert.Equal([2, 3, 4, 5], second.Batch);
        Assert.Equal(2, second.Number);
        Assert.Equal(0, link.Waiting);
        second.Succeed();
        await link.IdleAsync();
    }

    [Fact]
    public async Task NumberRisesByOne_WhenTheLinkWasIdleBetween()
    {
        var link = new HeldLink();
        for (var number = 1; number <= 3; number++)
        {
            link.TryEnqueue(number);
            var call = await link.NextCallAsync();
            Assert.Equal(number, call.Number);
            call.Succeed();
            await link.IdleAsync();
        }
    }

    [Fact]
    public async Task OrderIsKeptOverCalls_WhenMoreWaitThanOneCallTakes()
    {
        var link = new HeldLink(maxBatch: 3);
        link.TryEnqueue(0);
        var call = await link.NextCallAsync();
        for (var i = 1; i <= 7; i++) link.TryEnqueue(i);
        call.Succeed();
        foreach (var expected in new List<int[]> { new[] { 1, 2, 3 }, new[] { 4, 5, 6 }, new[] { 7 } })
        {
            call = await link.NextCallAsync();
            Assert.Equal(expected, call.Batch);
            call.Succeed();
        }
    }

    [Fact]
    public async Task NoMoreAreTaken_WhenTheBoundIsReached()
    {
        var link = new HeldLink(capacity: 2);
        Assert.True(link.TryEnqueue(1));
        var call = await link.NextCallAsync();
        Assert.True(link.TryEnqueue(2));
        Assert.True(link.TryEnqueue(3));
        Assert.False(link.TryEnqueue(4));
        call.Succeed();
        call = await link.NextCallAsync();
        Assert.Equal([2, 3], call.Batch);
        Assert.True(link.TryEnqueue(5));
        call.Succeed();
        call = await link.NextCallAsync();
        Assert.Equal([5], call.Batch);
    }

    [Fact]
    public async Task SameBatchAndNumberAreSentAgainWithGrowingDelay_WhenACallFails()
    {
        var clock = new ManualClock();
        var link = new HeldLink(clock);
        link.TryEnqueue(1);
        var call = await link.NextCallAsync();
        link.TryEnqueue(2);
        foreach (var delay in new List<int> { 20, 40, 80, 160, 320, 640, 1000, 1000 })
        {
            call.Fail();
            await clock.TimerSetAsync();
            clock.Advance(TimeSpan.FromMilliseconds(delay - 1));
            Assert.False(link.HasCall);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            call = await link.NextCallAsync();
            AssertCarries(call, 1, 1);
        }

        call.Succeed();
        call = await link.NextCallAsync();
        AssertCarries(call, 2, 2);
        Assert.Empty(link.GivenUp);
    }

    [Fact]
    public async Task AllThatWaitGoesWithIt_WhenABatchIsGivenUp()
    {
        var clock = new ManualClock();
        var link = new HeldLink(clock);
        link.TryEnqueue(1);
        var call = await link.NextCallAsync();
        link.TryEnqueue(2);
        call.Fail();
        await clock.TimerSetAsync();
        clock.Advance(HeldLink.GiveUpAfter);
        (await link.NextCallAsync()).Fail();
        await link.IdleAsync();
        Assert.Equal([1, 2], Assert.Single(link.GivenUp));
        link.TryEnqueue(3);
        call = await link.NextCallAsync();
        AssertCarries(call, 2, 3);
        call.Succeed();
        await link.IdleAsync();
    }

    [Fact]
    public async Task NextBatchTravels_WhenGivingUpFails()
    {
        var clock = new ManualClock();
        var link = new HeldLink(clock) { GivingUpFails = true };
        link.TryEnqueue(1);
        var call = await link.NextCallAsync();
        link.TryEnqueue(2);
        call.Fail();
        await clock.TimerSetAsync();
        clock.Advance(HeldLink.GiveUpAfter);
        (await link.NextCallAsync()).Fail();
        await link.IdleAsync();
        link.TryEnqueue(3);
        call = await link.NextCallAsync();
        AssertCarries(call, 2, 3);
        call.Succeed();
        await link.IdleAsync();
    }

    [Fact]
    public async Task GivesUpAtOnce_WhenTheReceiverHasGone()
    {
        var link = new HeldLink(new ManualClock()) { Gone = true };
        link.TryEnqueue(1);
        var call = await link.NextCallAsync();
        link.TryEnqueue(2);
        call.Fail();
        await link.IdleAsync();
        Assert.Equal([[1, 2]], link.GivenUp);
    }

    [Fact]
    public async Task BatchIsCut_WhenItsItemsAreLarge()
    {
        const int big = 300 * 1024;
        var link = new HeldLink { Size = item => item };
        link.TryEnqueue(1);
        var call = await link.NextCallAsync();
        foreach (var item in new[] { 2, big, 3, big, 5 * big, 4 }) link.TryEnqueue(item);
        foreach (var expected in new List<int[]> { new[] { 2, big, 3 }, new[] { big }, new[] { 5 * big }, new[] { 4 } })
        {
            call.Succeed();
            call = await link.NextCallAsync();
            Assert.Equal(expected, call.Batch);
        }
    }

    [Fact]
    public async Task NothingIsLostOrReorderedAndOneCallIsInFlight_WhenManyThreadsSend()
    {
        const int threads = 8, items = 100_000;
        var link = new CountingLink(threads, items);
        var sending = Enumerable.Range(0, threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < items; i++)
                {
                    while (!link.TryEnqueue((thread, i))) Thread.Yield();
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(sending).WaitAsync(Patience);
        await link.AllArrived.WaitAsync(Patience);
        Assert.Equal(0, link.Faults);
        Assert.Equal(Enumerable.Repeat(items, threads), link.Next);
    }

    [Fact]
    public void NamesDiffer_WhenThereAreTwoLinks() => Assert.NotEqual(new HeldLink().Id, new HeldLink().Id);

    private static void AssertCarries(Call call, long number, params int[] items)
    {
        Assert.Equal(number, call.Number);
        Assert.Equal(items, call.Batch);
    }

    /// <summary>A link whose calls the test answers.</summary>
    private sealed class HeldLink(TimeProvider? time = null, int capacity = 100, int maxBatch = 100)
        : BatchLink<int>(capacity, maxBatch, GiveUpAfter, time ?? TimeProvider.System)
    {
        public static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);
        private readonly Channel<Call> calls = Channel.CreateUnbounded<Call>();

        public ConcurrentQueue<int[]> GivenUp { get; } = [];

        /// <summary>Whether <see cref="OnGivenUp"/> throws.</summary>
        public bool GivingUpFails { get; init; }

        public bool Gone { get; init; }

        public Func<int, int> Size { get; init; } = _ => 0;

        protected override bool IsGone => Gone;

        public bool HasCall => calls.Reader.Count > 0;

        public async Task<Call> NextCallAsync() => await calls.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        /// <summary>Waits until the last answer has made its way through the link.</summary>
        public async Task IdleAsync()
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!IsIdle)
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        protected override Task SendAsync(int[] batch, long batchNumber)
        {
            var call = new Call(batch, batchNumber);
            calls.Writer.TryWrite(call);
            return call.Answer;
        }

        protected override int SizeOf(in int item) => Size(item);

        protected override void OnGivenUp(int[] batch, Exception error)
        {
            if (GivingUpFails) throw new InvalidOperationException("as the test wants");
            GivenUp.Enqueue(batch);
        }
    }

    private sealed class Call(int[] batch, long number)
    {
        private readonly TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int[] Batch => batch;

        public long Number => number;

        public Task Answer => answer.Task;

        public void Succeed() => answer.SetResult();

        public void Fail() => answer.SetException(new TimeoutException("as the test wants"));
    }

    /// <summary>A link that checks each sender's order and that calls do not overlap.</summary>
    private sealed class CountingLink(int threads, int items) : BatchLink<(int Thread, int Item)>(5_000, 700, Patience, TimeProvider.System)
    {
        private readonly TaskCompletionSource allArrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int inFlight;
        private long lastNumber;
        private int arrived;

        public int[] Next { get; } = new int[threads];

        public int Faults { get; private set; }

        public Task AllArrived => allArrived.Task;

        protected override async Task SendAsync((int Thread, int Item)[] batch, long batchNumber)
        {
            if (Interlocked.Increment(ref inFlight) != 1 || batch.Length is 0 or > 700 || batchNumber != ++lastNumber) Faults++;
            foreach (var (thread, item) in batch)
            {
                if (Next[thread]++ != item) Faults++;
            }

            await Task.Yield();
            Interlocked.Decrement(ref inFlight);
            if ((arrived += batch.Length) == threads * items) allArrived.SetResult();
        }

        protected override void OnGivenUp((int Thread, int Item)[] batch, Exception error) => Faults++;
    }
}
