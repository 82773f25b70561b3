using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Broker.Gateway.Transport.Epoll;
using DotNetty.Common.Concurrency;
using Xunit;
using static Broker.Tests.Unit.Gateway.Transport.Epoll.EpollListener;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

public class EpollEventLoopTests
{
    [Fact]
    public async Task RunsEveryTaskInItsThreadsOrder_WhenEightThreadsQueue()
    {
        const int Threads = 8, PerThread = 100_000;
        var loop = new EpollEventLoop(null, "test");
        int[] next = new int[Threads];
        int outOfOrder = 0;
        var queueing = Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (int i = 0; i < PerThread; i++)
                {
                    int number = i;
                    loop.Execute(() =>
                    {
                        if (next[thread]++ != number) outOfOrder++;
                    });
                }
            },
            TaskCreationOptions.LongRunning));

        await Task.WhenAll(queueing).WaitAsync(Deadline);
        await UntilAsync(() => next.Sum() == Threads * PerThread, () => $"ran {next.Sum()} of {Threads * PerThread}");

        Assert.Equal(0, outOfOrder);
        await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
    }

    [Fact]
    public async Task WakesEachTime_WhenOneTaskAtATimeMeetsASleepingLoop()
    {
        var loop = new EpollEventLoop(null, "test");
        for (int i = 0; i < 20_000; i++)
        {
            // A lost wake-up shows as a task that never completes: the loop has no timer to save it.
            Assert.Equal(i, await loop.SubmitAsync(() => i).WaitAsync(Deadline));
        }

        await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
    }

    [Fact]
    public async Task RunsInDeadlineOrderAndNotEarly_WhenTasksAreScheduled()
    {
        var loop = new EpollEventLoop(null, "test");
        var ran = new ConcurrentQueue<(int Delay, double Elapsed)>();
        long start = Stopwatch.GetTimestamp();
        foreach (int delay in new[] { 120, 10, 60, 0, 30, 90 })
        {
            _ = loop.Schedule(() => ran.Enqueue((delay, Stopwatch.GetElapsedTime(start).TotalMilliseconds)), TimeSpan.FromMilliseconds(delay));
        }

        IScheduledTask cancelled = loop.Schedule(() => ran.Enqueue((-1, 0)), TimeSpan.FromMilliseconds(50));
        Assert.True(cancelled.Cancel());
        await UntilAsync(() => ran.Count == 6, () => $"{ran.Count} of 6 ran");

        Assert.Equal([0, 10, 30, 60, 90, 120], ran.Select(static entry => entry.Delay));
        Assert.All(ran, static entry => Assert.InRange(entry.Elapsed, entry.Delay - 1, entry.Delay + 1_000));
        await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
    }

    [Fact]
    public async Task AwaitsResumeOnTheLoop_WhenBegunThere()
    {
        var loop = new EpollEventLoop(null, "test");
        var result = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Execute(async void () =>
        {
            bool before = loop.InEventLoop && TaskScheduler.Current is ExecutorTaskScheduler;
            await Task.Run(static () => Thread.Yield());
            result.SetResult(before && loop.InEventLoop);
        });
        Assert.True(await result.Task.WaitAsync(Deadline));
        await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
    }

    [Fact]
    public async Task GoesOn_WhenTaskThrows()
    {
        var loop = new EpollEventLoop(null, "test");
        loop.Execute(static () => throw new InvalidOperationException("thrown on purpose"));
        _ = loop.Schedule(static () => throw new InvalidOperationException("thrown on purpose"), TimeSpan.Zero);
        Assert.Equal(7, await loop.SubmitAsync(static () => 7).WaitAsync(Deadline));
        await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
    }

    [Fact]
    public async Task SocketsAreStillServed_WhenTasksQueueThemselvesForever()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(ScriptedHandler.Echo));
        bool stop = false;
        var loop = (EpollEventLoop)listener.Channel.EventLoop;
        void Again()
        {
            if (!Volatile.Read(ref stop)) loop.Execute(Again);
        }

        loop.Execute(Again);
        (Socket client, _) = await listener.ConnectAsync();
        using Socket closing = client;
        client.Send([1, 2, 3]);
        byte[] back = new byte[3];
        await ReceiveExactlyAsync(client, back);
        Assert.Equal([1, 2, 3], back);
        await loop.Schedule(static () => { }, TimeSpan.FromMilliseconds(1)).Completion.WaitAsync(Deadline);
        Volatile.Write(ref stop, true);
    }

    [Fact]
    public async Task FlushesAfterAllEventsOfABatch_WhenHandlersQueueIt()
    {
        // Held up by a task, the loop finds both sockets readable in one batch.
        var order = new ConcurrentQueue<string>();
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler((context, buffer) =>
        {
            buffer.Release();
            order.Enqueue("read");
            context.Channel.EventLoop.Execute(() => order.Enqueue("task"));
        }));
        (Socket first, _) = await listener.ConnectAsync();
        (Socket second, _) = await listener.ConnectAsync();
        using Socket closingFirst = first, closingSecond = second;
        using var held = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        listener.Channel.EventLoop.Execute(() =>
        {
            held.Set();
            release.Wait(Deadline);
        });
        Assert.True(held.Wait(Deadline));
        first.Send([1]);
        second.Send([1]);
        release.Set();

        await UntilAsync(() => order.Count == 4, () => $"{order.Count} of 4 happened");
        Assert.Equal(["read", "read", "task", "task"], order);
    }

    [Fact]
    public async Task RunsWhatItTookAndNothingElse_WhenThreadsQueueDuringShutdown()
    {
        for (int round = 0; round < 40; round++)
        {
            var loop = new EpollEventLoop(null, "test");
            int taken = 0, ran = 0;
            using var queueing = new CountdownEvent(2);
            Task[] threads = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                for (int i = 0; ; i++)
                {
                    try
                    {
                        loop.Execute(() => Interlocked.Increment(ref ran));
                    }
                    catch (RejectedExecutionException)
                    {
                        return;
                    }

                    Interlocked.Increment(ref taken);
                    if (i == 0) queueing.Signal();
                }
            })).ToArray();
            Assert.True(queueing.Wait(Deadline));
            await loop.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.Zero).WaitAsync(Deadline);
            await Task.WhenAll(threads).WaitAsync(Deadline);
            Assert.Equal(taken, ran);
        }
    }

    [Fact]
    public async Task ClosesChannelsAndRejectsWork_WhenShutDown()
    {
        EpollListener listener = await StartAsync(() => new ScriptedHandler(), loopCount: 2);
        var clients = new List<Socket>();
        for (int i = 0; i < 10; i++) clients.Add((await listener.ConnectAsync()).Client);
        IEventExecutor loop = listener.Loops.GetNext();
        Task neverRuns = loop.ScheduleAsync(static () => { }, TimeSpan.FromHours(1));

        await listener.Loops.ShutdownGracefullyAsync(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5)).WaitAsync(Deadline);

        Assert.True(listener.Loops.IsTerminated);
        Assert.True(listener.Loops.IsShuttingDown);
        Assert.False(listener.Channel.Open);
        await Task.WhenAll(listener.Handlers.Select(static handler => handler.Inactive.Task)).WaitAsync(Deadline);
        foreach (Socket client in clients)
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Deadline));
            client.Dispose();
        }

        Assert.True(neverRuns.IsCanceled);
        Assert.Throws<RejectedExecutionException>(() => loop.Execute(static () => { }));
        await listener.DisposeAsync();
    }
}
