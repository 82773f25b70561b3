using Broker.Grains.Interfaces.Sessions;

namespace Broker.Tests.Unit.Gateway;

/// <summary>Keeps wills in memory.</summary>
internal sealed class FakeWills : IWillKeeper
{
    /// <summary>Whose wills are kept.</summary>
    public List<(string ClientId, ulong Connection)> Kept { get; } = [];

    public Task<bool> SaveAsync(string clientId, ulong connection, Will will)
    {
        Kept.Add((clientId, connection));
        return Task.FromResult(true);
    }

    public void Remove(string clientId, ulong connection) => Kept.Remove((clientId, connection));
}
