using System.Collections.Concurrent;
using System.Threading.Channels;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Unit.Grains.Storage;

/// <summary>Writes down the outcomes of writes in the order they came.</summary>
internal sealed class StoreJournal : IStoreObserver
{
    private readonly Channel<bool> written = Channel.CreateUnbounded<bool>();

    public ConcurrentQueue<(StoreWrite Write, StoreException? Reason)> Entries { get; } = [];

    public void Committed(StoreWrite write) => Add(write, null);

    public void Failed(StoreWrite write, StoreException reason) => Add(write, reason);

    /// <summary>Waits for so many further outcomes.</summary>
    public async Task ReachAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            try
            {
                await written.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (TimeoutException)
            {
                Assert.Fail($"Outcome {i + 1} of {count} did not come; {Entries.Count} are known.");
            }
        }
    }

    private void Add(StoreWrite write, StoreException? reason)
    {
        Entries.Enqueue((write, reason));
        written.Writer.TryWrite(true);
    }
}

/// <summary>Holds the writer thread inside a report, so that what is submitted meanwhile makes one batch.</summary>
internal sealed class WriterHold : IStoreObserver
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Committed(StoreWrite write)
    {
        reached.SetResult();
        released.Task.Wait(TimeSpan.FromSeconds(30));
    }

    public void Failed(StoreWrite write, StoreException reason) => Committed(write);

    public async Task ReachedAsync() => await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Release() => released.SetResult();
}

/// <summary>Keeps what is logged.</summary>
internal sealed class LogRecord<T> : ILogger<T>
{
    public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, formatter(state, exception)));
}
