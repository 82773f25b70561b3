namespace Broker.Grains.Interfaces.Sessions;

/// <summary>Keeps the wills of this process's transient sessions where others find them when the process dies (promise 5).</summary>
public interface IWillKeeper
{
    /// <summary>Stores a will; on return it is published if this process dies.</summary>
    /// <returns>False if the store does not take it.</returns>
    Task<bool> SaveAsync(string clientId, ulong connection, Will will);

    /// <summary>The will has been published or is void.</summary>
    void Remove(string clientId, ulong connection);
}
