using System.Runtime.CompilerServices;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage;

/// <summary>The store of durable sessions and retained messages of one process. Group commit over one <see cref="IStoreDatabase"/>.</summary>
/// <remarks>Safe from any thread. Nothing here blocks the caller: writes are queued, reads run elsewhere.</remarks>
internal sealed class BrokerStore : ILocalStore, IAsyncDisposable
{
    private const int RetainedPageSize = 1_000;
    private const int RecordPageSize = 10_000;

    private readonly IStoreDatabase database;
    private readonly MessageCodec codec;
    private readonly StoreWriter writer;
    private readonly SemaphoreSlim reading;

    public BrokerStore(
        IStoreDatabase database, MessageCodec codec, StoreOptions options, StoreInstruments instruments, TimeProvider clock, ILogger<BrokerStore> logger)
    {
        (this.database, this.codec) = (database, codec);
        reading = new SemaphoreSlim(database.ReadsAtOnce);
        writer = new StoreWriter(database, options, instruments, clock, logger);
    }

    /// <summary>Raised when the store begins or ceases to fail, on the writer thread. Handlers must be short.</summary>
    public event Action<StoreHealth>? HealthChanged
    {
        add => writer.HealthChanged += value;
        remove => writer.HealthChanged -= value;
    }

    /// <summary>Whether new data is taken.</summary>
    public StoreHealth Health => writer.Health;

    bool ILocalStore.IsFailing => Health == StoreHealth.Failing;

    int ILocalStore.PendingWrites => writer.Queue.Pending;

    double ILocalStore.Backlog => writer.Queue.Fill;

    /// <summary>Opens the database, creating or migrating its schema.</summary>
    /// <exception cref="StoreException">It cannot be opened, or was written by a newer program.</exception>
    public Task StartAsync() => writer.StartAsync();

    /// <summary>Writes all that was submitted, reports it and closes the database, after the reads that run.</summary>
    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < database.ReadsAtOnce; i++) await reading.WaitAsync();
        try
        {
            await writer.StopAsync();
        }
        finally
        {
            reading.Release(database.ReadsAtOnce);
        }
    }

    /// <summary>Hands a write over. Never blocks, never throws.</summary>
    /// <remarks>Its observer hears the outcome after COMMIT, in order of submission; new data is failed at once,
    /// inside this call, while the store is full, failing or closed. Removals and marks are always taken while it is open.</remarks>
    public void Submit(StoreWrite write)
    {
        if (WriteScope.Current is { } scope) scope.Add(write);
        else writer.Submit(write);
    }

    /// <summary>All that this thread submits until the result is disposed is stored all or none. Scopes do not nest.</summary>
    public IDisposable BeginGroup() => new WriteScope(writer.Submit);

    /// <summary>Submits a write and waits for its outcome.</summary>
    /// <returns>False if it was refused.</returns>
    public async Task<bool> WriteAsync(StoreWrite write)
    {
        var outcome = new WriteOutcome();
        Submit(new WriteGroup(write) { Observer = outcome });
        return await outcome.Completion;
    }

    /// <summary>Waits until all that was submitted before is stored, or the store fails: what it keeps for later is not waited for.</summary>
    public async Task FlushAsync()
    {
        if (Health == StoreHealth.Failing) return;
        var outcome = new WriteOutcome();
        void Failing(StoreHealth health) => outcome.Complete(false);
        HealthChanged += Failing;
        if (Health == StoreHealth.Failing) Failing(StoreHealth.Failing); // since the first look
        writer.Submit(new WriteGroup { Observer = outcome });
        await outcome.Completion;
        HealthChanged -= Failing;
    }

    /// <summary>Opens a session: raises its epoch, so that every earlier lease is void, and reads it, in submission order with the writes.</summary>
    /// <param name="clientId">Which session.</param>
    /// <param name="ifNew">The header to create it with if it is absent; null to leave it absent.</param>
    /// <returns>The session; null if absent and not created.</returns>
    /// <exception cref="StoreException">The store is full or failing, or a message of the session cannot be read.</exception>
    public async Task<StoredSession?> OpenSessionAsync(string clientId, SessionHeader? ifNew = null)
    {
        var open = new OpenSession(clientId, ifNew);
        writer.Submit(open);
        var rows = await open.Opened;
        return rows is null ? null : await Task.Run(() => Decode(rows));
    }

    /// <summary>The setting's value, stored now if there was none: the first to ask decides, for the whole cluster.</summary>
    /// <exception cref="StoreException">The store is full or failing.</exception>
    public Task<string> GetOrCreateSettingAsync(string name, string value)
    {
        var setting = new GetOrCreateSetting(name, value);
        writer.Submit(setting);
        return setting.Found;
    }

    /// <summary>Committed subscriptions of a shard, those of every shard included.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    public Task<IReadOnlyList<ShardSubscription>> LoadSubscriptionsAsync(int shard) => ReadAsync(() => database.ReadSubscriptions(shard));

    /// <summary>Committed sessions of a partition of the client registry.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    public Task<IReadOnlyList<SessionSummary>> ListSessionsAsync(int partition) => ReadAsync(() => database.ReadSessions(partition));

    /// <summary>Client identifiers whose delayed will or session expiry is due, the longest overdue first.</summary>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    /// <param name="limit">Most to return.</param>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    public Task<IReadOnlyList<string>> ListDueAsync(long nowMs, int limit) => ReadAsync(() => database.ReadDue(nowMs, limit));

    /// <summary>Fences a node that was declared dead: what it has running is committed or undone before this ends, and nothing of it is stored after.
    /// Then ends its connections: sessions connected to it are disconnected from now on, their will and expiry come due.</summary>
    /// <remarks>May be repeated, and done by several nodes at once. Repeat it if it fails: connections may be left.</remarks>
    /// <exception cref="StoreException">The database cannot be written, or this node is fenced itself.</exception>
    public Task FenceAsync(string node) => Task.Run(() => database.Fence(node));

    /// <summary>Committed wills of transient sessions' connections to a node.</summary>
    /// <exception cref="StoreException">The database, or a will, cannot be read.</exception>
    public Task<IReadOnlyList<StoredWill>> ListWillsAsync(string node) => ReadAsync(() => database.ReadWills(node));

    /// <summary>Fenced nodes that have left wills.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    public Task<IReadOnlyList<string>> ListNodesWithWillsAsync() => ReadAsync(database.ReadNodesWithWills);

    /// <summary>Committed retained messages of a partition, read in pages; expired ones included. What changes meanwhile is seen or not.</summary>
    /// <exception cref="StoreException">The database, or a message, cannot be read.</exception>
    public async IAsyncEnumerable<ApplicationMessage> LoadRetainedAsync(int partition, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var after = 0L;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var from = after;
            var page = await ReadAsync(() => database.ReadRetained(partition, from, RetainedPageSize));
            foreach (var message in page.Messages) yield return message;
            if (page.Messages.Count < RetainedPageSize) yield break;
            after = page.Last;
        }
    }

    /// <summary>Reads committed messages that wait for their time.</summary>
    /// <exception cref="StoreException">The database, or a message, cannot be read.</exception>
    public Task<T> ReadDelayedAsync<T>(Func<IDelayedReader, T> read) => ReadAsync(() => read(database.Delayed));

    /// <summary>Committed records, those removed lately among them, in the order of their versions.</summary>
    /// <exception cref="StoreException">The database cannot be read.</exception>
    public async IAsyncEnumerable<Record> LoadRecordsAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var after = 0L;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var from = after;
            var page = await ReadAsync(() => database.ReadRecords(from, RecordPageSize));
            foreach (var record in page) yield return record;
            if (page.Count < RecordPageSize) yield break;
            after = page[^1].Version;
        }
    }

    /// <summary>Reads on the thread pool, beside the writer: a read never holds up a commit.</summary>
    private async Task<T> ReadAsync<T>(Func<T> read)
    {
        await reading.WaitAsync();
        try
        {
            return await Task.Run(read);
        }
        finally
        {
            reading.Release();
        }
    }

    private StoredSession Decode(SessionRows rows)
    {
        var messages = new StoredMessage[rows.Queue.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            var row = rows.Queue[i];
            var message = codec.Decode(row.Body);
            messages[i] = new StoredMessage(row.Sequence, message, row.Qos)
            {
                Retain = row.Retain,
                IsReleased = row.IsReleased,
                ShareNumber = row.ShareNumber,
                SubscriptionIdentifiers = row.SubscriptionIdentifiers,
                Shared = row.BodyId == 0 ? null : new SharedBody(message) { Id = row.BodyId },
            };
        }

        return new StoredSession(rows.Lease, rows.Header, rows.Subscriptions, messages, rows.Receipts) { IsNew = rows.IsNew, Origins = rows.Origins };
    }
}
