using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage;

/// <summary>Collects what one thread submits and hands it over as one group at the end.</summary>
internal sealed class WriteScope : IDisposable
{
    [ThreadStatic]
    private static WriteScope? current;

    private readonly Action<StoreWrite> submit;
    private readonly List<StoreWrite> writes = [];

    public WriteScope(Action<StoreWrite> submit)
    {
        this.submit = submit;
        current = this;
    }

    /// <summary>The scope this thread is in; null if it is in none.</summary>
    public static WriteScope? Current => current;

    public void Add(StoreWrite write) => writes.Add(write);

    public void Dispose()
    {
        current = null;
        if (writes.Count == 1) submit(writes[0]);
        else if (writes.Count > 1) submit(new WriteGroup([.. writes]));
    }
}

/// <summary>The outcome of a write as a task.</summary>
internal sealed class WriteOutcome : IStoreObserver
{
    private readonly TaskCompletionSource<bool> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True when it is stored, false when it was refused.</summary>
    public Task<bool> Completion => completion.Task;

    public void Complete(bool stored) => completion.TrySetResult(stored);

    public void Committed(StoreWrite write) => Complete(true);

    public void Failed(StoreWrite write, StoreException reason) => Complete(false);
}
