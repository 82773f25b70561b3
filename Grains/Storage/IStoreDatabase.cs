using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage;

/// <summary>A database the store can live in.</summary>
/// <remarks>What differs between SQLite and MySQL is behind this; group commit, bounds and outages are not.</remarks>
internal interface IStoreDatabase : IDisposable
{
    /// <summary>How many reads may run at once.</summary>
    int ReadsAtOnce { get; }

    /// <summary>Opens the database, creating and migrating its schema. Writer thread.</summary>
    /// <exception cref="StoreException">It cannot be opened, or has a newer schema.</exception>
    void Open();

    /// <summary>Writes a batch in one transaction, on a new connection if the last failure wants one. Writer thread.</summary>
    /// <remarks>A write that is fenced or cannot be stored gets its <see cref="StoreWrite.Refusal"/>
    /// and leaves the others alone; a group is refused whole.</remarks>
    /// <exception cref="StoreUnavailableException">Nothing of the batch was stored; or, if it is in doubt, the same batch must be handed over next.</exception>
    /// <exception cref="NodeFencedException">Nothing was stored, nor ever will be.</exception>
    void Commit(IReadOnlyList<StoreWrite> batch);

    /// <summary>Finds out, by writing, whether a failing database takes new data again. Writer thread.</summary>
    /// <exception cref="StoreUnavailableException">It does not.</exception>
    /// <exception cref="NodeFencedException">It never will.</exception>
    void Probe();

    /// <summary>Fences a node and ends its connections. Any thread, beside writes and reads.</summary>
    /// <exception cref="StoreUnavailableException">It may or may not be fenced; not all its connections are ended.</exception>
    /// <exception cref="NodeFencedException">This node is fenced itself.</exception>
    void Fence(string node);

    /// <summary>Subscriptions of one shard and those that live in all. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    IReadOnlyList<ShardSubscription> ReadSubscriptions(int shard);

    /// <summary>A page of retained messages. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    /// <param name="partition">Which partition.</param>
    /// <param name="after">Where the last page ended; 0 for the first.</param>
    /// <param name="limit">Most messages to return; fewer means the end.</param>
    StoredRetained ReadRetained(int partition, long after, int limit);

    /// <summary>A page of records, those removed lately among them, in the order of their versions. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    /// <param name="after">The version of the last one of the page before; 0 for the first.</param>
    /// <param name="limit">Most to return; fewer means the end.</param>
    IReadOnlyList<Record> ReadRecords(long after, int limit);

    /// <summary>All sessions of one partition. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    IReadOnlyList<SessionSummary> ReadSessions(int partition);

    /// <summary>Clients whose will or expiry is due, the longest overdue first. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    IReadOnlyList<string> ReadDue(long nowMs, int limit);

    /// <summary>Wills of connections to a node. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    IReadOnlyList<StoredWill> ReadWills(string node);

    /// <summary>Reads messages that wait for their time.</summary>
    IDelayedReader Delayed { get; }

    /// <summary>Nodes that are gone and have left wills. Any thread, as many reads at once as <see cref="ReadsAtOnce"/> says.</summary>
    IReadOnlyList<string> ReadNodesWithWills();
}

/// <summary>Some retained messages and where the next page begins.</summary>
internal readonly record struct StoredRetained(IReadOnlyList<ApplicationMessage> Messages, long Last);
