namespace Broker.Grains.Storage;

/// <summary>Whether the store takes new data.</summary>
internal enum StoreHealth
{
    /// <summary>Everything submitted is written.</summary>
    Healthy,

    /// <summary>New data is refused at once, removals wait; the database is probed with back-off.</summary>
    Failing,
}
