namespace Broker.Tests.Unit.Gateway;

/// <summary>Membership as the test says: every silo lives until it is killed.</summary>
internal sealed class FakeSilos : ISiloStatusOracle
{
    private readonly List<ISiloStatusListener> listeners = [];
    private readonly HashSet<SiloAddress> dead = [];

    public SiloStatus CurrentStatus { get; init; } = SiloStatus.Active;

    public string SiloName => "test";

    public SiloAddress SiloAddress => throw new NotSupportedException();

    public void Kill(SiloAddress silo)
    {
        lock (dead) dead.Add(silo);
        foreach (var listener in listeners) listener.SiloStatusChangeNotification(silo, SiloStatus.Dead);
    }

    /// <summary>The silo is dead, but nobody has been told yet.</summary>
    public void KillQuietly(SiloAddress silo)
    {
        lock (dead) dead.Add(silo);
    }

    public SiloStatus GetApproximateSiloStatus(SiloAddress siloAddress) => IsDeadSilo(siloAddress) ? SiloStatus.Dead : SiloStatus.Active;

    public Dictionary<SiloAddress, SiloStatus> GetApproximateSiloStatuses(bool onlyActive = false) => throw new NotSupportedException();

    public SiloAddress[] GetActiveSilos() => throw new NotSupportedException();

    public bool TryGetSiloName(SiloAddress siloAddress, out string siloName) => throw new NotSupportedException();

    public bool IsFunctionalDirectory(SiloAddress siloAddress) => !IsDeadSilo(siloAddress);

    public bool IsDeadSilo(SiloAddress silo)
    {
        lock (dead) return dead.Contains(silo);
    }

    public bool SubscribeToSiloStatusEvents(ISiloStatusListener observer)
    {
        listeners.Add(observer);
        return true;
    }

    public bool UnSubscribeFromSiloStatusEvents(ISiloStatusListener observer) => listeners.Remove(observer);
}
