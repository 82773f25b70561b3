using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage;

/// <summary>Learns what became of a write. One object may observe many writes, so that none needs a closure.</summary>
/// <remarks>Called on the writer thread, after COMMIT, in the order of submission; and for a write refused at once
/// (store full, failing or closed) on the submitting thread, inside <see cref="BrokerStore.Submit"/>. Must be short and must not block.</remarks>
internal interface IStoreObserver
{
    /// <summary>The write is durable, or is an append that was cancelled in time and need not be.</summary>
    void Committed(StoreWrite write);

    /// <summary>Nothing of the write was stored.</summary>
    void Failed(StoreWrite write, StoreException reason);
}
