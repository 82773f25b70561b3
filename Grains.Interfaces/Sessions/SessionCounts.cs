namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What a session holds at a moment.</summary>
/// <param name="Queued">Deliveries that wait for the window or the socket.</param>
/// <param name="Dropped">Deliveries that a full queue has lost since the session came into memory.</param>
/// <param name="Inflight">Deliveries sent and not acknowledged.</param>
/// <param name="AwaitingRelease">Incoming QoS 2 messages without their PUBREL.</param>
/// <param name="Subscriptions">Its subscriptions.</param>
/// <param name="Limits">Its bounds; null if they are not known here.</param>
public readonly record struct SessionCounts(int Queued, long Dropped, int Inflight, int AwaitingRelease, int Subscriptions, SessionLimits? Limits);
