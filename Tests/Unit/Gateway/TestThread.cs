using System.Collections.Concurrent;

namespace Broker.Tests.Unit.Gateway;

/// <summary>Runs a test on one thread from its beginning to its end, what follows its awaits too: so that a loop which only its thread may turn has one.</summary>
internal sealed class TestThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> work = [];

    public static Task RunAsync(Func<Task> test)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            var own = new TestThread();
            SetSynchronizationContext(own);
            var running = test();
            running.ContinueWith(_ => own.work.CompleteAdding(), TaskScheduler.Default);
            foreach (var (callback, state) in own.work.GetConsumingEnumerable()) callback(state);
            ended.SetFromTask(running);
        })
        { IsBackground = true }.Start();
        return ended.Task;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            work.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            base.Post(d, state); // the test is over
        }
    }
}
