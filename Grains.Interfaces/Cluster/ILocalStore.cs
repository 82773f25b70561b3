namespace Broker.Grains.Interfaces.Cluster;

/// <summary>How the store of this process does, for those who watch it. Thread-safe; answers at once.</summary>
public interface ILocalStore
{
    /// <summary>It takes no new data.</summary>
    bool IsFailing { get; }

    /// <summary>Writes that wait.</summary>
    int PendingWrites { get; }

    /// <summary>How full the place for what waits is, 0 to 1, by number or by bytes, whichever is more: at 1 new data is refused.</summary>
    double Backlog { get; }
}
